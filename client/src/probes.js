// The tries of a connection test: each asks the browser or the network one thing and ends in bounded time.

import { Connection } from "./connection.js";
import { pathOf, relayOutcome, relaysOf } from "./diagnosis.js";
import { openDevice } from "./microphone.js";

const RELAY_MS = 5_000; // a relay on the other side of the world answers in one

/** "ok", or deviceProblem's word. An open microphone is not asked for again. */
export async function tryMicrophone(track) {
  if (track) return "ok";
  try {
    for (const one of (await openDevice({ audio: true })).getTracks()) one.stop();
    return "ok";
  } catch (error) {
    return error.problem ?? "failed";
  }
}

/**
 * A session of its own for as long as it takes to connect.
 * @param {{createSocket: Function, createPeer: Function}} means as Connection's
 * @returns {Promise<{outcome: string, path?: string|null, message?: string, iceServers: object[]}>}
 */
export function tryTalk({ createSocket, createPeer }) {
  return new Promise((done) => {
    let iceServers = [];
    const connection = new Connection({
      createSocket,
      createPeer: (config) => ((iceServers = config.iceServers), createPeer(config)),
      character: null,
    });
    connection.on("open", async () => {
      const path = await connectedPath(connection.peer).catch(() => null); // it went as it came
      done({ outcome: "connected", path, iceServers });
      connection.close();
    });
    connection.on("closed", ({ reason, code, message }) => {
      // "timeout" is the gateway's word for media that did not come, which it may notice before the browser does.
      const outcome = reason === "unreachable" || (reason === "refused" && code !== "timeout") ? reason : "media";
      done({ outcome, message, iceServers });
    });
  });
}

/** The way of a connected peer's media. */
export async function connectedPath(peer) {
  return pathOf((await peer.getStats()).values());
}

/** Every relay in turn, alone: [{url, outcome}]. */
export function tryRelays(iceServers, createPeer) {
  return Promise.all(
    relaysOf(iceServers).map(async ({ url, server }) => ({ url, outcome: await tryRelay(server, createPeer) })),
  );
}

async function tryRelay(server, createPeer) {
  const codes = [];
  const peer = createPeer({ iceServers: [server], iceTransportPolicy: "relay" });
  try {
    const relayed = await new Promise((done) => {
      setTimeout(done, RELAY_MS, false);
      peer.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate.includes(" typ relay")) done(true);
        else if (!candidate) done(false); // gathering is over
      };
      peer.onicecandidateerror = ({ errorCode }) => codes.push(errorCode);
      peer.createDataChannel("test");
      peer.createOffer().then((offer) => peer.setLocalDescription(offer)).catch(() => done(false));
    });
    return relayOutcome({ relayed, codes });
  } finally {
    peer.close();
  }
}
