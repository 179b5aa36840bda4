// Recording a voice sample: its phases, the recorder's life, what is read aloud, what is said of the engines.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createApi } from "../../../client/src/api.js";
import { cloning } from "../../../client/src/cloning.js";
import { Emitter } from "../../../client/src/emitter.js";
import { languageName } from "../../../client/src/languages.js";
import { READING_LANGUAGES, reading } from "../../../client/src/reading.js";
import { MAX_SAMPLE_BYTES, Recorder, progressOf, sampleProblem } from "../../../client/src/recorder.js";
import { known } from "../../../client/src/strings.js";

test("all seventeen languages of XTTS have something to read, long enough for ten seconds", () => {
  assert.deepEqual([...READING_LANGUAGES].sort(), "ar cs de en es fr hi hu it ja ko nl pl pt ru tr zh".split(" "));
  for (const code of READING_LANGUAGES) {
    const { words, language } = reading(code);
    assert.equal(language, code);
    assert.ok(languageName(code) !== code);
    // Chinese and Japanese are read at 4 to 7 characters a second, the others at about 15.
    const least = { zh: 70, ja: 90, ko: 90 }[code] ?? 150;
    assert.ok(words.length >= least && words.length <= 300, `${code}: ${words.length}`);
    assert.match(words, /[?？؟。]$/u);
  }
  assert.equal(new Set(READING_LANGUAGES.map((code) => reading(code).words)).size, 17);
  assert.equal(reading("pt-BR").language, "pt");
  assert.equal(reading("zh_CN").language, "zh");
  assert.equal(reading("fi").language, "en");
  assert.equal(reading("constructor").language, "en");
});

test("the phases of a recording, each with its words", () => {
  assert.deepEqual([0, 2.9, 3, 9.9, 10, 19.9, 20, 99].map(progressOf), ["short", "short", "going", "going", "enough", "enough", "full", "full"]);
  for (const phase of ["short", "going", "enough"]) assert.ok(known(`sample.${phase}`));
});

test("files that cannot be a voice sample", () => {
  assert.equal(sampleProblem({ type: "audio/wav", size: 1000 }), null);
  assert.equal(sampleProblem({ type: "video/mp4", size: 1000 }), null);
  assert.equal(sampleProblem({ type: "", size: 1000 }), null);
  assert.equal(sampleProblem({ type: "application/ogg", size: 1000 }), null);
  assert.equal(sampleProblem({ type: "image/png", size: 1000 }), "sample.type");
  assert.equal(sampleProblem({ type: "audio/wav", size: MAX_SAMPLE_BYTES + 1 }), "sample.large");
  assert.equal(sampleProblem({ type: "audio/wav", size: 0 }), "sample.empty");
  for (const key of ["type", "large", "empty"]) assert.ok(known(`sample.${key}`));
});

class FakeMicrophone extends Emitter {
  opened = 0;
  closed = 0;
  open = async () => (this.opened++, "track");
  close = () => void this.closed++;
}

class FakeMedia {
  static last = null;
  static isTypeSupported = (type) => type.startsWith("audio/mp4");
  state = "inactive";

  constructor(stream, options) {
    Object.assign(this, { stream, mimeType: options.mimeType });
    FakeMedia.last = this;
  }

  start() {
    this.state = "recording";
  }

  stop() {
    this.state = "inactive";
    this.ondataavailable({ data: new Blob(["voice"]) });
    this.onstop();
  }
}

function recorder(Media = FakeMedia) {
  const clock = { at: 0, tick: null };
  const microphone = new FakeMicrophone();
  const one = new Recorder({
    microphone,
    Media,
    stream: (track) => [track],
    now: () => clock.at,
    setInterval: (action) => ((clock.tick = action), 1),
    clearInterval: () => (clock.tick = null),
  });
  const heard = [];
  for (const name of ["level", "progress", "recorded", "failed"]) one.on(name, (detail) => heard.push([name, detail]));
  const pass = (seconds) => {
    clock.at += seconds * 1000;
    clock.tick?.();
  };
  return { one, microphone, heard, pass, clock };
}

test("a recording is a blob of the first type that the browser can make, and the microphone is let go", async () => {
  const { one, microphone, heard, pass } = recorder();
  await one.start();
  assert.ok(one.recording);
  assert.equal(FakeMedia.last.mimeType, "audio/mp4");
  microphone.emit("level", 0.5);
  pass(12);
  one.stop();
  assert.deepEqual(heard.map(([name]) => name), ["level", "progress", "recorded"]);
  const { blob, seconds } = heard.at(-1)[1];
  assert.equal(seconds, 12);
  assert.equal(blob.type, "audio/mp4");
  assert.equal(await blob.text(), "voice");
  assert.ok(!one.recording && microphone.closed === 1);
});

test("it ends by itself after twenty seconds, and when the microphone is pulled out", async () => {
  const full = recorder();
  await full.one.start();
  full.pass(20.1);
  assert.equal(full.heard.at(-1)[0], "recorded");
  assert.equal(full.clock.tick, null);
  const pulled = recorder();
  await pulled.one.start();
  pulled.pass(5);
  pulled.microphone.emit("ended");
  assert.equal(pulled.heard.at(-1)[1].seconds, 5);
});

test("what is cancelled is heard of no more; a second start while it records changes nothing", async () => {
  const { one, microphone, heard, pass } = recorder();
  await one.start();
  await one.start();
  assert.equal(microphone.opened, 1);
  pass(4);
  one.cancel();
  assert.ok(!heard.some(([name]) => name === "recorded") && !one.recording);
  one.stop();
  await one.start();
  FakeMedia.last.onerror();
  assert.equal(heard.at(-1)[0], "failed");
  assert.ok(!one.recording);
});

test("cancelled while the browser asks for the microphone: nothing records afterwards, and the microphone is let go", async () => {
  const { one, microphone, heard } = recorder();
  const asks = [];
  microphone.open = () => new Promise((grant) => asks.push(grant));
  const starting = one.start();
  await one.start(); // a second press while it asks
  assert.equal(asks.length, 1);
  one.cancel();
  asks[0]("track");
  await starting;
  assert.ok(!one.recording && microphone.closed === 1 && heard.length === 0);
  const again = one.start();
  asks[1]("track");
  await again;
  assert.ok(one.recording);
});

test("no microphone: the reason comes through and nothing is left open", async () => {
  const { one, microphone } = recorder();
  microphone.open = async () => {
    throw Object.assign(new Error("device"), { problem: "denied" });
  };
  await assert.rejects(one.start(), ({ problem }) => problem === "denied");
  assert.ok(!one.recording);
});

test("a browser that cannot record this sound: no microphone is left open", async () => {
  for (const trouble of ["constructor", "start"]) {
    class Broken extends FakeMedia {
      constructor(...given) {
        if (trouble === "constructor") throw new Error("not supported");
        super(...given);
      }

      start() {
        throw new Error("not supported");
      }
    }
    const { one, microphone } = recorder(Broken);
    await assert.rejects(one.start(), /not supported/);
    assert.ok(!one.recording && microphone.closed === 1, trouble);
  }
});

const roles = ({ maker = true, speaker = true, languages = ["en", "zh-cn"] } = {}) => ({
  voice: { engine: "voice_xtts", engines: [{ name: "voice_xtts", ready: maker, licence: "CPML (non-commercial), Coqui" }] },
  tts: { engine: "tts_hibari", engines: [{ name: "tts_hibari", ready: true }, { name: "tts_xtts", ready: speaker, languages }] },
});

test("which engine clones, under which licence, and what is missing", () => {
  const found = cloning(roles(), "en");
  assert.ok(found.ready && found.engine === "tts_xtts" && found.missing === "");
  assert.match(found.licence, /XTTS-v2.*CPML \(non-commercial\)/);
  assert.ok(cloning(roles(), "zh").ready);
  for (const away of [roles({ maker: false }), roles({ speaker: false })]) {
    assert.match(cloning(away, "en").missing, /No engine that clones a voice is ready/);
    assert.match(cloning(away, "en").licence, /CPML/, "known before it is ready");
  }
  assert.match(cloning(roles(), "fi").missing, /does not speak Suomi/);
  for (const nothing of [null, {}, { voice: { engines: [] } }, { tts: { engines: [] } }]) {
    assert.match(cloning(nothing, "en").missing, /No engine/);
    assert.equal(cloning(nothing, "en").licence, "");
  }
});

test("the routes of a voice sample", async () => {
  const asked = [];
  const api = createApi(async (path, options = {}) => {
    asked.push([options.method ?? "GET", path, options.body]);
    return new Response("{}", { headers: { "Content-Type": "application/json" } });
  });
  const file = new Blob(["x"], { type: "audio/webm" });
  await api.putVoiceSample("a/b", file);
  await api.removeVoiceSample("a");
  await api.synthesizeAs(file, { text: "Hello", language: "en" });
  await api.synthesizeAs("/api/characters/a/voice-sample", { text: "Hello" });
  assert.deepEqual(asked.map(([method, path]) => `${method} ${path}`), [
    "PUT api/characters/a%2Fb/voice-sample",
    "DELETE api/characters/a/voice-sample",
    "POST api/synthesize-with-voice-clone",
    "GET /api/characters/a/voice-sample",
    "POST api/synthesize-with-voice-clone",
  ]);
  assert.deepEqual([...asked[2][2].keys()], ["sample", "text", "language"]);
});
