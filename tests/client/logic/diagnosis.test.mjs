// What the connection test makes of what it has found out.
import assert from "node:assert/strict";
import { test } from "node:test";

import { findings, pathOf, relayOutcome, relaysOf, wayOf } from "../../../client/src/diagnosis.js";
import { known } from "../../../client/src/strings.js";
import { GERMAN } from "../../../client/src/strings_de.js";
import { peerConfig } from "../../../client/src/transport.js";

const UDP = "turn:relay.example:3478?transport=udp";
const TCP = "turn:relay.example:3478?transport=tcp";
const TLS = "turns:relay.example:5349?transport=tcp";
const FINE = { webrtc: true, online: true, forced: false, microphone: "ok", talk: { outcome: "connected", path: "direct" }, relays: [] };

const told = (facts) => {
  const found = findings({ ...FINE, ...facts });
  for (const { key } of found) assert.ok(known(key) && key in GERMAN, key);
  return found.map(({ level, key, values }) => [level, key, values.way].filter(Boolean).join(" "));
};

test("a good connection is two good words", () => {
  assert.deepEqual(told({}), ["ok test.direct", "ok test.microphone"]);
});

test("each thing that can be blocked has its sentence", () => {
  const media = { outcome: "media" };
  assert.deepEqual(told({ webrtc: false }), ["error notice.nowebrtc"]);
  assert.equal(told({ online: false })[0], "error test.offline");
  assert.equal(told({ talk: { outcome: "unreachable" } })[0], "error test.unreachable");
  assert.equal(told({ talk: { outcome: "refused", message: "Full." } })[0], "warning test.refused");
  assert.equal(told({ talk: media })[0], "error test.norelay");
  assert.deepEqual(told({ talk: media, relays: [{ url: UDP, outcome: "works" }] }).slice(0, 2), [
    "error test.relay.astray",
    "ok test.relay.works UDP",
  ]);
  assert.deepEqual(told({ talk: media, relays: [{ url: UDP, outcome: "refused" }] }).slice(0, 2), [
    "error test.noway",
    "error test.relay.refused UDP",
  ]);
  for (const problem of ["insecure", "denied", "none", "busy", "failed"]) {
    assert.equal(told({ microphone: problem }).at(-1), `warning mic.${problem}`);
  }
});

test("a network without UDP is told from a relay that is off", () => {
  const relayed = { outcome: "connected", path: "tcp" };
  assert.deepEqual(told({ talk: relayed, relays: [{ url: UDP, outcome: "silent" }, { url: TCP, outcome: "works" }] }).slice(0, 3), [
    "warning test.relayed TCP",
    "warning test.noudp UDP",
    "ok test.relay.works TCP",
  ]);
  assert.deepEqual(told({ relays: [{ url: UDP, outcome: "works" }, { url: TLS, outcome: "silent" }] })[2], "warning test.relay.silent TLS");
  assert.deepEqual(told({ relays: [{ url: UDP, outcome: "silent" }, { url: TCP, outcome: "silent" }] }).slice(1, 3), [
    "error test.relay.silent UDP",
    "error test.relay.silent TCP",
  ]);
  assert.equal(told({ forced: true, talk: relayed })[0], "ok test.forced TCP");
  assert.equal(told({ relays: [{ url: UDP, outcome: "full" }] })[1], "error test.relay.full UDP");
});

test("relays are found among STUN servers, each with its key, and named without their transport", () => {
  const servers = [{ urls: "stun:a" }, { urls: [UDP, TLS], username: "u", credential: "c" }];
  assert.deepEqual(relaysOf(servers), [
    { url: UDP, server: { urls: [UDP], username: "u", credential: "c" } },
    { url: TLS, server: { urls: [TLS], username: "u", credential: "c" } },
  ]);
  assert.deepEqual([UDP, TCP, TLS, "turn:a"].map(wayOf), ["udp", "tcp", "tls", "udp"]);
  assert.equal(findings({ ...FINE, relays: [{ url: UDP, outcome: "works" }] })[1].values.relay, "relay.example:3478");
});

test("a relay's answer is read from the browser's error codes", () => {
  assert.equal(relayOutcome({ relayed: true, codes: [701] }), "works");
  assert.equal(relayOutcome({ relayed: false, codes: [701, 401] }), "refused");
  assert.equal(relayOutcome({ relayed: false, codes: [486] }), "full");
  assert.equal(relayOutcome({ relayed: false, codes: [] }), "silent");
});

test("the way of the media is that of the chosen pair", () => {
  const local = { id: "l", type: "local-candidate", candidateType: "relay", relayProtocol: "tls" };
  const pair = { id: "p", type: "candidate-pair", localCandidateId: "l", nominated: true, state: "succeeded" };
  const other = { id: "o", type: "candidate-pair", localCandidateId: "h", nominated: true, state: "succeeded" };
  const host = { id: "h", type: "local-candidate", candidateType: "host" };
  const transport = { id: "t", type: "transport", selectedCandidatePairId: "p" };
  assert.equal(pathOf([other, pair, local, host, transport]), "tls");
  assert.equal(pathOf([other, host]), "direct"); // a browser that tells no transport
  assert.equal(pathOf([local, host]), null);
});

test("the page's address can ask for the relay alone", () => {
  assert.deepEqual(peerConfig({ iceServers: [] }, "?transport=relay"), { iceServers: [], iceTransportPolicy: "relay" });
  assert.deepEqual(peerConfig({ iceServers: [] }, "?transport=all"), { iceServers: [] });
});
