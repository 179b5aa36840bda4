// What the views decide without a page.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { ApiError, createApi } from "../../../client/src/api.js";
import { backoff } from "../../../client/src/backoff.js";
import { EMOTIONS, Outbox, parseMessage, say } from "../../../client/src/channel.js";
import { aboutRenderer, engineChoices, fieldsToSend, pictureProblem, rendererChoices, rendererName, sampleSentence, shortName, voiceGroups } from "../../../client/src/character_form.js";
import { firstChoice, nameOf } from "../../../client/src/gallery.js";
import { ALL_LANGUAGES, languageGroups, languageName } from "../../../client/src/languages.js";
import { deviceProblem, loudness } from "../../../client/src/microphone.js";
import { withNotice } from "../../../client/src/notices.js";
import { waitingFor } from "../../../client/src/stage.js";
import { badges, missingSentences } from "../../../client/src/status.js";
import { known, preferredLanguage, text } from "../../../client/src/strings.js";
import { GERMAN } from "../../../client/src/strings_de.js";
import { sessionUrl, waitingNotice } from "../../../client/src/talk.js";
import { Conversation } from "../../../client/src/transcript.js";

const SOURCE = new URL("../../../client/src/", import.meta.url);

test("every string that the page names exists, and places are filled", () => {
  for (const file of readdirSync(SOURCE)) {
    const source = readFileSync(new URL(file, SOURCE), "utf8");
    for (const [, key] of source.matchAll(/\btext\("([^"]+)"/g)) assert.ok(known(key), `${file}: ${key}`);
  }
  for (const emotion of EMOTIONS) assert.ok(known(`emotion.${emotion}`));
  for (const problem of ["insecure", "denied", "none", "busy", "failed"]) {
    assert.ok(known(`mic.${problem}`) && known(`camera.${problem}`), problem);
  }
  for (const key of Object.keys(GERMAN)) assert.ok(known(key), key);
  assert.equal(text("test.microphone", {}, "de"), "Das Mikrofon funktioniert.");
  assert.equal(text("connect.talk", {}, "de"), "Talk"); // not translated yet
  assert.equal(preferredLanguage(["fr", "de-AT", "en"]), "de");
  assert.equal(preferredLanguage(["fr"]), "en");
  assert.equal(text("editor.edit", { name: "{name} & <b>" }), "Edit {name} & <b>");
  assert.equal(text("no.such.key"), "no.such.key");
});

test("who waits is told for what: a free place, the server, or the talk they had", () => {
  assert.equal(waitingFor({ reason: "refused" }), "queued");
  assert.equal(waitingFor({ reason: "media" }), "waiting");
  assert.equal(waitingFor({ reason: "refused", again: true }), "returning");
  for (const wait of ["queued", "waiting", "returning"]) assert.ok(known(`state.${wait}`) && known(`connect.${wait}`), wait);
});

test("nothing writes markup or inline styles, which the content security policy would refuse", () => {
  for (const file of readdirSync(SOURCE)) {
    assert.doesNotMatch(readFileSync(new URL(file, SOURCE), "utf8"), /innerHTML|insertAdjacentHTML|outerHTML|document\.write|https?:\/\/(?!www\.w3\.org)[a-z]/, file);
  }
  const page = readFileSync(new URL("../index.html", SOURCE), "utf8");
  assert.doesNotMatch(page, /\sstyle=|\son\w+=|<style|<script(?![^>]*src=)|(?:src|href)="(?:https?:)?\/\//);
});

test("messages of the data channel are checked", () => {
  assert.deepEqual(parseMessage('{"type":"caption","role":"user","id":"1","text":""}')?.role, "user");
  for (const bad of ['{"type":"caption","role":"both","id":"1","text":""}', '{"type":"emotion","emotion":"bored"}', '{"type":"new"}', "1", "{", new ArrayBuffer(2)]) {
    assert.equal(parseMessage(bad), null);
  }
  assert.equal(parseMessage('{"type":"picture","moving":false}')?.moving, false);
  assert.equal(parseMessage('{"type":"picture","moving":"no"}'), null);
  assert.equal(say.text("x".repeat(9000)).text.length, 5000);
  assert.equal(say.emotion("happy", Number.NaN).intensity, 0);
});

test("texts that wait for a connection are bounded; the oldest go first", () => {
  const outbox = new Outbox();
  for (let i = 0; i < 30; i++) outbox.post(say.text(String(i)));
  const sent = [];
  outbox.open((message) => sent.push(JSON.parse(message).text));
  assert.equal(sent.length, 20);
  assert.equal(sent[0], "10");
  assert.equal(sent.at(-1), "29");
});

test("an interruption without a connection is forgotten", () => {
  const outbox = new Outbox();
  outbox.post(say.interrupt());
  outbox.open(() => assert.fail("nothing to send"));
});

test("backoff grows from 1 to 10 seconds", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 1000].map((attempt) => backoff(attempt)), [1, 2, 4, 8, 10, 10]);
  assert.equal(backoff(3, 2), 2);
});

test("a conversation replaces an utterance's text by its newer one and keeps order", () => {
  const conversation = new Conversation();
  const caption = (role, id, words, final = false) => conversation.take({ role, id, text: words, final });
  assert.equal(caption("user", "1", "  "), null);
  assert.equal(caption("user", "1", "hel").added, true);
  caption("avatar", "1", "You said");
  const change = caption("user", "1", "hello", true);
  assert.equal(change.added, false);
  assert.deepEqual(conversation.utterances.map(({ role, text, final }) => [role, text, final]), [
    ["user", "hello", true],
    ["avatar", "You said", false],
  ]);
});

test("a conversation is bounded and tells what fell out", () => {
  const conversation = new Conversation();
  let dropped = [];
  for (let i = 0; i <= 400; i++) ({ dropped } = conversation.take({ role: "user", id: String(i), text: "x" }));
  assert.equal(conversation.utterances.length, 400);
  assert.deepEqual(dropped.map(({ id }) => id), ["0"]);
});

test("notices: one for a code, three at most, errors stay longest", () => {
  let list = [];
  for (const [code, level] of [["a", "error"], ["b", "info"], ["c", "error"], ["b", "warning"], ["d", "info"]]) {
    list = withNotice(list, { code, level });
  }
  assert.deepEqual(list.map(({ code }) => code), ["a", "c", "d"]);
});

const ROLES = {
  vad: { engine: "vad_silero", ready: true, engines: [{ name: "vad_silero", ready: true, licence: "MIT" }] },
  tts: {
    engine: "tts_hibari",
    ready: false,
    engines: [
      { name: "tts_hibari", ready: true, licence: "Apache-2.0", voices: [{ id: "af", language: "en" }] },
      { name: "tts_kokoro", ready: false, voices: [{ id: "nicola", language: "de" }, { id: "heart", language: "en-us" }] },
    ],
  },
  render: { engine: null, ready: false, engines: [] },
};

test("badges tell readiness, engine and licence; before anything is known they say so", () => {
  const found = Object.fromEntries(badges(ROLES).map((badge) => [badge.role, badge]));
  assert.equal(found.vad.ready, true);
  assert.match(found.vad.title, /ready · vad_silero · licence MIT/);
  assert.equal(found.tts.ready, false);
  assert.equal(found.render.ready, false);
  assert.equal(found.voice, undefined);
  assert.ok(badges(null).every(({ ready }) => ready === null));
  const withVoice = (ready) => badges({ ...ROLES, voice: { engine: "voice_x", ready, engines: [{ name: "voice_x", ready }] } });
  assert.ok(withVoice(true).some(({ role, ready }) => role === "voice" && ready));
  assert.ok(!withVoice(false).some(({ role }) => role === "voice"), "nobody misses what a talk does not need");
  const others = { ...ROLES, tts: { ...ROLES.tts, engine: "tts_x" } };
  assert.deepEqual(badges(others).find(({ role }) => role === "tts").others.map(({ licence }) => licence), ["Apache-2.0"]);
});

test("a missing engine is told by what to do instead", () => {
  const sentences = missingSentences(ROLES).join(" ");
  assert.match(sentences, /answers appear as captions/);
  assert.match(sentences, /still portrait/);
  assert.match(sentences, /please type/);
  assert.deepEqual(missingSentences(null), []);
});

test("languages: all that Whisper knows have their own names; what the engine offers limits them", () => {
  assert.equal(ALL_LANGUAGES.length, 100);
  assert.ok(ALL_LANGUAGES.every((code) => languageName(code).length > 1 && languageName(code) !== code));
  assert.equal(languageName("xx"), "xx");
  const [common, rest] = languageGroups(["cy", "de", "en", "auto", "en"]);
  assert.deepEqual(common.codes, ["en", "de"]);
  assert.deepEqual(rest.codes, ["cy"]);
  assert.equal(languageGroups().flatMap(({ codes }) => codes).length, 100);
});

test("short names", () => {
  assert.equal(shortName("Mona Lisa"), "mona_lisa");
  assert.equal(shortName(" Zoë Größe! "), "zoe_grosse");
  assert.equal(shortName("蒙娜丽莎"), "");
});

test("what a form sends: trimmed, and for a new character without empty choices", () => {
  const values = { display_name: " Mona ", name: "", description: "", personality: "", language: "en", engine: "", voice: "", renderer: "" };
  assert.deepEqual(fieldsToSend(values, true), { name: "mona", display_name: "Mona", description: "", personality: "", language: "en" });
  assert.equal(fieldsToSend({ ...values, display_name: "蒙" }, true).name, "character");
  assert.deepEqual(fieldsToSend({ ...values, engine: "tts_x", voice: "v" }, true).voice, { engine: "tts_x", id: "v" });
});

test("voices of the language come first, those of the role's engine when none is chosen", () => {
  assert.deepEqual(voiceGroups(ROLES.tts, "", "en").map(({ voices }) => voices.map(({ value }) => value)), [["af"]]);
  assert.deepEqual(voiceGroups(ROLES.tts, "tts_kokoro", "en").map(({ voices }) => voices.map(({ value }) => value)), [["heart"], ["nicola"]]);
  assert.deepEqual(voiceGroups(undefined, "", "en"), []);
  const any = { engine: "tts_x", engines: [{ name: "tts_x", ready: true, voices: [{ id: "Ana", language: "" }] }] };
  assert.deepEqual(voiceGroups(any, "", "de"), [{ label: "Deutsch", voices: [{ value: "Ana", label: "Ana" }] }]);
  assert.deepEqual(engineChoices(ROLES.tts, "tts_gone").map(({ value }) => value), ["", "tts_hibari", "tts_kokoro", "tts_gone"]);
  assert.match(sampleSentence("de"), /Guten Tag/);
  assert.equal(sampleSentence("haw"), sampleSentence("en"));
});

const RENDER = {
  engine: "render_meshwarp",
  ready: true,
  engines: [
    { name: "render_liveportrait", ready: false, licence: "" },
    { name: "render_meshwarp", ready: true, licence: "MIT; MediaPipe face models Apache-2.0" },
    { name: "render_new", ready: true, licence: "BSD" },
  ],
};

test("renderers have names for people, and say which is not there", () => {
  assert.deepEqual(rendererChoices(RENDER, "render_gone"), [
    { value: "", label: "Automatic (Warp)" },
    { value: "render_liveportrait", label: "LivePortrait (not available)" },
    { value: "render_meshwarp", label: "Warp" },
    { value: "render_new", label: "render_new" },
    { value: "render_gone", label: "render_gone (not available)" },
  ]);
  assert.deepEqual(rendererChoices(undefined), [{ value: "", label: "Automatic" }]);
  assert.equal(rendererName("render_meshwarp"), "Warp");
});

test("a renderer is told in plain words, with its licence, and what its absence means", () => {
  const automatic = aboutRenderer(RENDER, "");
  assert.match(automatic.words, /any computer/);
  assert.match(automatic.licence, /Apache-2\.0/);
  assert.equal(automatic.missing, "");
  const live = aboutRenderer(RENDER, "render_liveportrait");
  assert.match(live.words, /NVIDIA GPU/);
  assert.equal(live.licence, "Licence: MIT.", "an engine that never was ready has not told its licence");
  assert.match(live.missing, /stands still and the voice works/);
  assert.deepEqual(aboutRenderer(RENDER, "render_new"), { words: "", licence: "Licence: BSD.", missing: "" });
  assert.deepEqual(aboutRenderer(undefined, ""), { words: "", licence: "", missing: "" });
});

test("a picture is looked at before it travels", () => {
  assert.equal(pictureProblem({ type: "image/jpeg", size: 1000 }), null);
  assert.match(pictureProblem({ type: "text/plain", size: 1 }), /not a picture/);
  assert.match(pictureProblem({ type: "image/png", size: 21 * 2 ** 20 }), /20 MB/);
});

test("why a microphone did not open", () => {
  const secure = { secure: true, available: true };
  assert.equal(deviceProblem({ name: "NotAllowedError" }, secure), "denied");
  assert.equal(deviceProblem({ name: "NotFoundError" }, secure), "none");
  assert.equal(deviceProblem({ name: "NotReadableError" }, secure), "busy");
  assert.equal(deviceProblem({ name: "TypeError" }, secure), "failed");
  assert.equal(deviceProblem(null, { secure: false, available: false }), "insecure");
});

test("the meter is 0 for silence, 1 for a loud voice, and grows in between", () => {
  const level = (amplitude) => loudness(new Float32Array(1024).fill(amplitude));
  assert.equal(level(0), 0);
  assert.equal(level(1), 1);
  assert.ok(0 < level(0.01) && level(0.01) < level(0.05) && level(0.05) < 1);
});

test("which character comes first", () => {
  const [a, b, c] = [{ id: "a", name: "a" }, { id: "b", active: true }, { id: "c", display_name: "C" }];
  assert.equal(firstChoice([a, b, c], "c"), c);
  assert.equal(firstChoice([a, b, c], "gone"), b);
  assert.equal(firstChoice([a], null), a);
  assert.equal(firstChoice([], null), null);
  assert.deepEqual([a, c, null].map(nameOf), ["a", "C", ""]);
});

test("the session lies beside the page", () => {
  assert.equal(sessionUrl("https://host:8443/"), "wss://host:8443/api/session");
  assert.equal(sessionUrl("http://host/under/index.html"), "ws://host/under/api/session");
});

test("a talk that waits says why and how long", () => {
  const seconds = 4;
  assert.match(waitingNotice({ reason: "socket", seconds, again: true }), /connection to the server is lost.*4/);
  assert.match(waitingNotice({ reason: "unreachable", seconds, again: false }), /cannot be reached.*4/);
  assert.match(waitingNotice({ reason: "media", seconds }), /firewall.*4/);
  assert.match(waitingNotice({ reason: "refused", message: "Full.", seconds }), /^Full\. Trying again in 4/);
  assert.match(waitingNotice({ reason: "refused", seconds }), /taken.*4/);
  assert.match(waitingNotice({ reason: "socket", seconds, again: true }, false), /offline/);
});

test("REST: the server's sentence becomes the error; no server is told as such", async () => {
  const answers = [];
  const api = createApi(async (path, options) => {
    answers.push([path, options?.method]);
    if (path === "api/engines") throw new TypeError("fetch failed");
    const error = { code: "no_face", message: "No face.", retryable: false };
    if (options?.method === "PUT") return new Response(JSON.stringify({ error }), { status: 422 });
    if (options?.method === "DELETE") return new Response(null, { status: 204 });
    if (options?.method === "POST") return new Response("<html>", { status: 502 });
    return Response.json({ characters: [{ id: "a" }] });
  });
  assert.deepEqual(await api.characters(), [{ id: "a" }]);
  await api.remove("a/b");
  assert.deepEqual(answers.at(-1), ["api/characters/a%2Fb", "DELETE"]);
  await assert.rejects(api.putPortrait("a", new Blob(["x"])), (error) => error instanceof ApiError && error.code === "no_face" && error.message === "No face." && error.status === 422);
  await assert.rejects(api.engines(), { code: "unreachable", retryable: true });
  await assert.rejects(api.create({}), /status 502/);
});

test("REST: who is not known any more is told, in words for a person", async () => {
  const error = { code: "unauthorized", message: "Log in first, or send the token as Authorization: Bearer." };
  let status = 401;
  let told = 0;
  const api = createApi(async () => new Response(JSON.stringify({ error }), { status }), () => (told += 1));
  await assert.rejects(api.characters(), { status: 401, message: /login has run out/ });
  await assert.rejects(api.knock(), { status: 401 });
  assert.equal(told, 2);
  status = 403;
  await assert.rejects(api.knock(), { status: 403, message: error.message });
  assert.equal(told, 2);
});
