import assert from "node:assert/strict";
import { test } from "node:test";

import { say } from "../../../client/src/channel.js";
import { Session } from "../../../client/src/session.js";
import { Clock, FakePeer, FakeSocket, settle } from "./fakes.mjs";

function rig() {
  const clock = new Clock();
  const sockets = [];
  const peers = [];
  const phases = [];
  const messages = [];
  let character = "mona";
  const session = new Session({
    clock,
    character: () => character,
    createSocket: (resume) => (sockets.push(new FakeSocket(resume)), sockets.at(-1)),
    createPeer: (config) => (peers.push(new FakePeer(config)), peers.at(-1)),
  });
  session.on("phase", (detail) => phases.push(detail));
  session.on("message", (message) => messages.push(message));
  const connect = async (greeting = {}) => {
    sockets.at(-1).open();
    await sockets.at(-1).tell({ type: "session", id: "s", iceServers: [{ urls: "stun:x" }], ...greeting });
    await settle();
    await sockets.at(-1).tell({ type: "answer", sdp: "v=0 answer" });
    peers.at(-1).channel.open();
  };
  return { clock, sockets, peers, phases, messages, session, connect, choose: (id) => (character = id) };
}

test("an offer carries the character, both directions of sound, and the gateway's ICE servers", async () => {
  const { session, sockets, peers, phases, connect } = rig();
  session.start();
  await connect();
  assert.deepEqual(sockets[0].sent, [{ type: "offer", sdp: "v=0 offer", character: "mona" }]);
  assert.deepEqual(peers[0].config, { iceServers: [{ urls: "stun:x" }] });
  assert.deepEqual(
    peers[0].transceivers.map(({ trackOrKind, direction }) => [trackOrKind, direction]),
    [["audio", "sendrecv"], ["video", "recvonly"]],
  );
  assert.equal(peers[0].label, "antlitz");
  assert.deepEqual(phases.map(({ phase }) => phase), ["connecting", "live"]);
  assert.equal(session.peer, peers[0]);
});

test("candidates trickle both ways; those that come before the answer wait for it", async () => {
  const { session, sockets, peers } = rig();
  session.start();
  sockets[0].open();
  await sockets[0].tell({ type: "session", id: "s" });
  await settle();
  peers[0].onicecandidate({ candidate: { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0, foundation: "1" } });
  peers[0].onicecandidate({ candidate: null });
  assert.deepEqual(sockets[0].sent.slice(1), [
    { type: "candidate", candidate: { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0 } },
    { type: "candidate", candidate: null },
  ]);
  await sockets[0].tell({ type: "candidate", candidate: { candidate: "candidate:2" } });
  await sockets[0].tell({ type: "candidate", candidate: null });
  assert.deepEqual(peers[0].candidates, []);
  await sockets[0].tell({ type: "answer", sdp: "v=0 answer" });
  assert.deepEqual(peers[0].candidates, [{ candidate: "candidate:2" }]);
});

test("what was said before the channel opens is delivered; what holds is told again after a reconnect", async () => {
  const { session, sockets, peers, clock, connect } = rig();
  session.post(say.language("de"));
  session.post(say.text(" hello "));
  session.start();
  await connect();
  session.post(say.emotion("happy", 2));
  session.post(say.emotion("sad", 0.5));
  assert.deepEqual(peers[0].channel.sent, [
    { type: "language", language: "de" },
    { type: "text", text: "hello", mode: "chat" },
    { type: "emotion", emotion: "happy", intensity: 1 },
    { type: "emotion", emotion: "sad", intensity: 0.5 },
  ]);
  sockets[0].close();
  clock.advance(1000);
  await connect();
  assert.deepEqual(peers[1].channel.sent, [
    { type: "language", language: "de" },
    { type: "emotion", emotion: "sad", intensity: 0.5 },
  ]);
});

test("a lost server is tried again after 1, 2, 4, 8, 10, 10 seconds, and the count starts anew once it is back", async () => {
  const { session, sockets, phases, clock, connect } = rig();
  session.start();
  const waits = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    sockets.at(-1).close();
    waits.push(phases.at(-1).seconds);
    assert.equal(phases.at(-1).reason, "unreachable");
    clock.advance(waits.at(-1) * 1000);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 10, 10]);
  assert.equal(sockets.length, 7);
  await connect();
  sockets.at(-1).close();
  assert.equal(phases.at(-1).seconds, 1);
  assert.equal(phases.at(-1).again, true);
  assert.equal(phases.at(-1).reason, "socket");
});

test("a reconnect offers the character that is chosen by then", async () => {
  const { session, sockets, clock, connect, choose } = rig();
  session.start();
  await connect();
  choose("velata");
  sockets[0].close();
  clock.advance(1000);
  await connect();
  assert.equal(sockets[1].sent[0].character, "velata");
});

test("a final refusal ends the talk and quotes the server; a retryable one waits", async () => {
  const { session, sockets, phases } = rig();
  session.start();
  sockets[0].open();
  await sockets[0].tell({ type: "error", code: "unknown_character", message: "Gone.", retryable: false });
  sockets[0].close();
  assert.deepEqual(phases.at(-1), { phase: "off", refusal: { code: "unknown_character", message: "Gone." } });

  session.start();
  sockets[1].open();
  await sockets[1].tell({ type: "error", code: "too_many_sessions", message: "Full.", retryable: true });
  sockets[1].close();
  const { phase, reason, message } = phases.at(-1);
  assert.deepEqual({ phase, reason, message }, { phase: "waiting", reason: "refused", message: "Full." });
});

test("no way for the media is told apart from no server", async () => {
  const { session, sockets, peers, phases, clock } = rig();
  session.start();
  sockets[0].open();
  await sockets[0].tell({ type: "session", id: "s" });
  await settle();
  clock.advance(15_000);
  assert.equal(phases.at(-1).reason, "media");
  assert.equal(peers[0].closed, true);
  clock.advance(1_000);
  clock.advance(15_000);
  assert.equal(phases.at(-1).reason, "unreachable");
});

test("an answer that the browser cannot use counts as no way for the media", async () => {
  const { session, sockets, phases } = rig();
  session.start();
  sockets[0].open();
  await sockets[0].tell({ type: "session", id: "s" });
  await settle();
  await sockets[0].tell({ type: "answer", sdp: "nonsense" });
  assert.equal(phases.at(-1).reason, "media");
});

test("a short disconnection is waited out, a long one is a loss", async () => {
  const { session, peers, phases, clock, connect } = rig();
  session.start();
  await connect();
  peers[0].become("disconnected");
  clock.advance(4_000);
  peers[0].become("connected");
  clock.advance(10_000);
  assert.equal(phases.at(-1).phase, "live");
  peers[0].become("disconnected");
  clock.advance(5_000);
  assert.equal(phases.at(-1).phase, "waiting");
});

test("stop says bye, closes everything, leaves no timer, and nothing comes after it", async () => {
  const { session, sockets, peers, phases, clock, messages, connect } = rig();
  session.start();
  await connect();
  session.stop();
  assert.equal(sockets[0].types().at(-1), "bye");
  assert.equal(peers[0].closed, true);
  assert.equal(clock.pending, 0);
  await sockets[0].tell({ type: "error", message: "late" });
  peers[0].channel.onmessage({ data: '{"type":"state","state":"idle"}' });
  assert.deepEqual(messages, []);
  assert.equal(phases.at(-1).phase, "off");
  assert.equal(session.peer, null);
});

test("stop while waiting cancels the retry; retryNow does not wait for it", () => {
  const { session, sockets, clock } = rig();
  session.start();
  sockets[0].close();
  session.retryNow();
  assert.equal(sockets.length, 2);
  sockets[1].close();
  session.stop();
  clock.advance(60_000);
  assert.equal(sockets.length, 2);
});

test("a microphone that comes later replaces the empty track, and one that was there goes into the offer", async () => {
  const { session, peers, sockets, clock, connect } = rig();
  session.start();
  await connect();
  const track = { kind: "audio" };
  await session.setTrack(track);
  assert.equal(peers[0].transceivers[0].sender.track, track);
  sockets[0].close();
  clock.advance(1000);
  await connect();
  assert.equal(peers[1].transceivers[0].trackOrKind, track);
});

test("an error while live is a notice, not an end", async () => {
  const { session, sockets, messages, phases, connect } = rig();
  session.start();
  await connect();
  await sockets[0].tell({ type: "error", code: "internal", message: "Hm.", retryable: false });
  assert.equal(messages[0].type, "notice");
  assert.equal(messages[0].message, "Hm.");
  assert.equal(phases.at(-1).phase, "live");
});

test("garbage from the server is passed over", async () => {
  const { session, sockets, peers, messages, connect } = rig();
  session.start();
  await connect();
  await sockets[0].tell("{");
  await sockets[0].tell("null");
  for (const data of ["", "null", "[]", '{"type":"state","state":"dancing"}', '{"type":"toString"}']) {
    peers[0].channel.onmessage({ data });
  }
  assert.deepEqual(messages, []);
  peers[0].channel.onmessage({ data: '{"type":"state","state":"thinking"}' });
  assert.equal(messages.length, 1);
});

test("a lost page comes back for its session, soon and often; after half a minute it takes its time", async () => {
  const { session, sockets, phases, clock, connect } = rig();
  session.start();
  assert.equal(sockets[0].resume, false);
  await connect({ token: "secret" });
  sockets[0].close();
  const waits = [];
  for (let attempt = 0; attempt < 17; attempt++) {
    waits.push(phases.at(-1).seconds);
    clock.advance(waits.at(-1) * 1000);
    if (attempt < 16) sockets.at(-1).close();
  }
  assert.deepEqual(waits, [1, ...Array(14).fill(2), 10, 10]);
  const last = sockets.at(-1);
  assert.equal(last.resume, true);
  await connect({ token: "secret", resumed: true });
  assert.deepEqual(last.sent[0], { type: "resume", token: "secret" });
  assert.deepEqual(phases.at(-1), { phase: "live", again: true, resumed: true });
});

test("a session that is gone is followed by a new one, and its token by a new token", async () => {
  const { session, sockets, phases, clock, connect } = rig();
  session.start();
  await connect({ token: "old" });
  sockets[0].close();
  clock.advance(1000);
  await connect({ token: "new", resumed: false });
  assert.deepEqual(phases.at(-1), { phase: "live", again: true, resumed: false });
  sockets[1].close();
  clock.advance(1000);
  sockets[2].open();
  assert.deepEqual(sockets[2].sent, [{ type: "resume", token: "new" }]);
});

test("after a goodbye nothing is come back to", async () => {
  const { session, sockets, connect } = rig();
  session.start();
  await connect({ token: "secret" });
  session.stop();
  session.start();
  assert.equal(sockets.at(-1).resume, false);
});

test("a page whose network is gone keeps its socket until it is back; one that gives up says goodbye on it", async () => {
  const { session, sockets, peers, clock, connect } = rig();
  session.start();
  await connect({ token: "t" });
  peers[0].become("failed");
  assert.equal(sockets[0].readyState, 1, "closed, it would tell the gateway that the page has gone");
  assert.equal(peers[0].closed, true);
  clock.advance(1000);
  assert.equal(sockets[1].resume, true);
  session.stop();
  assert.deepEqual(sockets[0].types(), ["offer", "bye"]);
  assert.equal(sockets[0].readyState, 3);
  clock.advance(60_000);
  assert.equal(sockets.length, 2);
});

test("a kept socket is closed in the end", async () => {
  const { session, sockets, peers, clock, connect } = rig();
  session.start();
  await connect({ token: "t" });
  peers[0].become("failed");
  clock.advance(1000);
  await connect({ token: "t", resumed: true });
  clock.advance(28_000);
  assert.equal(sockets[0].readyState, 1);
  clock.advance(2000);
  assert.equal(sockets[0].readyState, 3);
  assert.equal(session.phase, "live");
});

test("a page that comes back opens another socket when one does not open: its packets are repeated too rarely", async () => {
  const { session, sockets, peers, phases, clock, connect } = rig();
  session.start();
  await connect({ token: "t" });
  peers[0].become("failed");
  clock.advance(1000 + 3999);
  assert.equal(phases.at(-1).phase, "connecting");
  clock.advance(1);
  assert.equal(phases.at(-1).reason, "unreachable");
  assert.equal(sockets[1].readyState, 3);
  clock.advance(2000);
  assert.equal(sockets.length, 3);
  sockets[2].open();
  clock.advance(5000);
  assert.equal(sockets[2].readyState, 1, "an open one is given its time");
});
