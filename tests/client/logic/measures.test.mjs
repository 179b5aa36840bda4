// What the page measures of a talk: latency, the clocks, the connection, the film's name.
import assert from "node:assert/strict";
import { test } from "node:test";

import { wholeText } from "../../../client/src/captions.js";
import { parseMessage } from "../../../client/src/channel.js";
import { ClockOffset } from "../../../client/src/clock.js";
import { filmName, filmTime } from "../../../client/src/filming.js";
import { onset } from "../../../client/src/hearing.js";
import { STEPS, TurnTimes, breakdown } from "../../../client/src/latency.js";
import { measure, numbers, rating } from "../../../client/src/quality.js";
import { known, text } from "../../../client/src/strings.js";

test("a turn's steps in the order they happened, each with what it took; nonsense is left out", () => {
  const ms = { first_audio: 900, transcript: 300, heard: 1010.4, first_frame: 890, first_token: -5, other: 1 };
  assert.deepEqual(breakdown(ms), [
    { step: "transcript", at: 300, took: 300 },
    { step: "first_frame", at: 890, took: 590 },
    { step: "first_audio", at: 900, took: 10 },
    { step: "heard", at: 1010, took: 110 },
  ]);
  assert.deepEqual(breakdown({ transcript: 61_000 }), []);
  for (const step of STEPS) assert.notEqual(text(`latency.${step}`), `latency.${step}`);
});

test("heard is the gateway's first sound and the way from there, whichever is told first", () => {
  const times = new TurnTimes();
  times.speaks(10_000);
  assert.deepEqual(times.take({ turn: "t1", ms: { first_audio: 700 } }), { turn: "t1", ms: { first_audio: 700 } });
  assert.deepEqual(times.hears(10_120), { turn: "t1", ms: { first_audio: 700, heard: 820 } });
  assert.equal(times.hears(10_500).ms.heard, 820);
  times.speaks(20_000);
  assert.equal(times.hears(20_090), null);
  assert.equal(times.take({ turn: "t2", ms: { first_audio: 500 } }).ms.heard, 590);
  assert.deepEqual(times.take({ turn: "t2", ms: { first_token: 90 } }).ms, { first_audio: 500, heard: 590, first_token: 90 });
});

test("before the clocks are compared nothing is claimed to be heard", () => {
  const times = new TurnTimes();
  times.speaks(null);
  times.hears(5);
  assert.deepEqual(times.take({ turn: "t1", ms: { first_audio: 700 } }).ms, { first_audio: 700 });
});

test("the quickest ping tells the gateway's clock", () => {
  const offset = new ClockOffset();
  assert.equal(offset.here(5), null);
  offset.take({ sent: 1000, received: 1200, there: 6190 });
  offset.take({ sent: 2000, received: 2010, there: 7005 });
  offset.take({ sent: 3000, received: 2990, there: 1 });
  assert.equal(offset.here(7005), 2005);
  for (let at = 0; at < 8; at++) offset.take({ sent: at, received: at + 20, there: at + 110 });
  assert.equal(offset.here(100), 0, "old pings are forgotten: clocks drift");
});

test("sound begins at the first loud sample", () => {
  assert.equal(onset(new Float32Array(64)), -1);
  const samples = new Float32Array(64);
  samples[40] = -0.2;
  assert.equal(onset(samples), 40);
});

const second = (at, { frames = 0, lost = 0, received = 0, roundTrip = 0.012 }) => [
  { id: "a", type: "inbound-rtp", kind: "audio", timestamp: at, packetsLost: 0, packetsReceived: 0 },
  { id: "v", type: "inbound-rtp", kind: "video", timestamp: at, framesDecoded: frames, packetsLost: lost, packetsReceived: received },
  { id: "p", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: roundTrip },
  { id: "q", type: "candidate-pair", nominated: false, state: "waiting", currentRoundTripTime: 9 },
];

test("a second of connection: frames, loss, round trip", () => {
  const found = measure(second(0, { frames: 100, lost: 5, received: 1000 }), second(2000, { frames: 150, lost: 7, received: 1098 }));
  assert.deepEqual(found, { fps: 25, loss: 0.02, roundTrip: 0.012 });
  assert.equal(measure([], second(0, {})), null);
  assert.equal(measure(second(0, {}), second(1000, {})).loss, 1, "nothing came at all");
});

test("quality in words and numbers; a picture that stands still says nothing about the connection", () => {
  assert.equal(rating({ fps: 25, loss: 0, roundTrip: 0.01 }), "good");
  assert.equal(rating({ fps: 0, loss: 0, roundTrip: null }), "good");
  assert.equal(rating({ fps: 16, loss: 0, roundTrip: 0.01 }), "fair");
  assert.equal(rating({ fps: 25, loss: 0.02, roundTrip: 0.01 }), "fair");
  assert.equal(rating({ fps: 25, loss: 0, roundTrip: 0.5 }), "poor");
  for (const word of ["good", "fair", "poor"]) assert.ok(known(`quality.${word}`));
  assert.equal(numbers({ fps: 24.8, loss: 0.013, roundTrip: 0.0004 }).replaceAll("\u00a0", " "), "25 fps · 1.3 % lost · 1 ms");
  assert.equal(numbers({ fps: 0, loss: 0, roundTrip: null }).replaceAll("\u00a0", " "), "0 % lost");
});

test("a film is named by whom it shows and when it began", () => {
  const began = new Date(2026, 0, 5, 9, 7, 3);
  assert.equal(filmName("Mona Lisa", began, "video/webm"), "Antlitz Mona Lisa 2026-01-05 09.07.03.webm");
  assert.equal(filmName('a/b:"c"\n', began, "video/mp4"), "Antlitz a b c 2026-01-05 09.07.03.mp4");
  assert.equal(filmName("", began, ""), "Antlitz 2026-01-05 09.07.03.webm");
  assert.equal(filmTime(0), "0:00");
  assert.equal(filmTime(605.9), "10:05");
});

test("a caption's two parts are one text, with a space where one is wanting", () => {
  assert.equal(wholeText({ text: "Hello", tentative: "there" }), "Hello there");
  assert.equal(wholeText({ text: "Hello ", tentative: "there" }), "Hello there");
  assert.equal(wholeText({ text: "Hello", tentative: " there" }), "Hello there");
  assert.equal(wholeText({ text: "", tentative: "He" }), "He");
  assert.equal(wholeText({ text: "Hello" }), "Hello");
});

test("the newer messages are checked, too", () => {
  assert.equal(parseMessage('{"type":"dialogue","kind":"echo"}')?.kind, "echo");
  assert.equal(parseMessage('{"type":"dialogue","kind":"oracle"}'), null);
  assert.equal(parseMessage('{"type":"caption","role":"user","id":"1","text":"","tentative":5}'), null);
  assert.equal(parseMessage('{"type":"pong","at":"x","now":1}'), null);
});
