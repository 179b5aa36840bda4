import { Emitter } from "./emitter.js";
import { parseMessage } from "./channel.js";

const GREETING_MS = 2_000; // the gateway's `session` comes at once; without it, go on with no ICE servers
const CONNECT_MS = 15_000; // from start to an open data channel
const DISCONNECTED_MS = 5_000; // WebRTC often mends a "disconnected" by itself
// From coming back to an open socket. TCP repeats its first packet after 1, 3 and 7 s: where the network was away for
// longer than 3, a new try is through sooner.
const OPEN_MS = 4_000;
// A page that has lost its network keeps the socket meanwhile: closed, it would tell the gateway, once the network is
// there again and before the next one is, that the page has gone.
const LINGER_MS = 30_000;

/**
 * One WebSocket and one RTCPeerConnection, over once and for all when either ends.
 *
 * Emits `greeted` ({token, resumed}), `peer` (RTCPeerConnection), `track` (MediaStreamTrack), `open` (send function),
 * `message` (data channel),
 * `closed` ({reason: "unreachable"|"socket"|"media"|"refused"|"bye", code, message, retryable}).
 */
export class Connection extends Emitter {
  #socket;
  #peer = null;
  #audio = null;
  #track = null;
  #character;
  #clock;
  #createPeer;
  #timers = new Set();
  #closed = false;
  #lingers = false;
  #greeted = false; // the gateway has spoken: from here on a failure is not "unreachable"
  #live = false;
  #described = false;
  #candidates = [];
  #refusal = null;
  #drop = null;

  /**
   * @param {{createSocket: (resume: boolean) => WebSocket, createPeer: (config: object) => RTCPeerConnection,
   *          character: string|null, track: MediaStreamTrack|null, token?: string|null,
   *          clock?: {setTimeout: Function, clearTimeout: Function}}} options `token` is of the session to come back to
   */
  constructor({ createSocket, createPeer, character, track = null, token = null, clock = globalThis }) {
    super();
    this.#clock = clock;
    this.#createPeer = createPeer;
    this.#character = character;
    this.#track = track;
    this.#socket = createSocket(token !== null);
    this.#socket.onopen = () => {
      if (token !== null) this.#tell({ type: "resume", token });
      this.#after(GREETING_MS, () => this.#begin([]));
    };
    this.#socket.onmessage = (event) => this.#signal(event.data);
    this.#socket.onclose = () => this.#end(this.#refusal ?? { reason: this.#greeted ? "socket" : "unreachable" });
    if (token !== null) {
      this.#after(OPEN_MS, () => this.#socket.readyState === 0 && this.#end({ reason: "unreachable" }));
    }
    this.#after(CONNECT_MS, () => this.#live || this.#end({ reason: this.#greeted ? "media" : "unreachable" }));
  }

  get peer() {
    return this.#peer;
  }

  get live() {
    return this.#live;
  }

  /** What the person's side sends: a microphone's track, or null. No renegotiation is needed for either. */
  async setTrack(track) {
    this.#track = track;
    await this.#audio?.sender.replaceTrack(track);
  }

  /** Says bye and ends. */
  close() {
    this.#tell({ type: "bye" });
    this.#end({ reason: "bye" });
  }

  /** After it has ended by a lost network: nobody comes back to its session. */
  abandon() {
    this.#tell({ type: "bye" });
    this.#socket.close();
  }

  #after(milliseconds, action) {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) action();
    }, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  #tell(message) {
    if (this.#socket.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  async #signal(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (this.#closed || typeof message !== "object" || message === null) return;
    this.#greeted = true;
    try {
      if (message.type === "session") {
        this.emit("greeted", { token: message.token ?? null, resumed: message.resumed === true });
        await this.#begin(message.iceServers ?? []);
      } else if (message.type === "answer") await this.#answer(message.sdp);
      else if (message.type === "candidate") await this.#candidate(message.candidate);
      else if (message.type === "error") this.#error(message);
    } catch {
      // A description or candidate that this browser cannot use: the media will not come.
      this.#end({ reason: "media" });
    }
  }

  async #begin(iceServers) {
    if (this.#peer || this.#closed) return;
    const peer = this.#createPeer({ iceServers });
    this.#peer = peer;
    peer.onicecandidate = ({ candidate }) =>
      this.#tell({ type: "candidate", candidate: candidate?.candidate ? trickled(candidate) : null });
    peer.ontrack = ({ track, receiver }) => {
      // As little delay as the network allows: a conversation suffers more from waiting than from a rare crackle.
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
      this.emit("track", track);
    };
    peer.onconnectionstatechange = () => this.#media(peer.connectionState);
    // Both ways even without a microphone: one that is switched on later only replaces the sender's empty track.
    this.#audio = peer.addTransceiver(this.#track ?? "audio", { direction: "sendrecv" });
    peer.addTransceiver("video", { direction: "recvonly" });
    this.#data(peer.createDataChannel("antlitz", { ordered: true }));
    this.emit("peer", peer);
    await peer.setLocalDescription(await peer.createOffer());
    if (this.#closed) return;
    this.#tell({ type: "offer", sdp: peer.localDescription.sdp, character: this.#character });
  }

  async #answer(sdp) {
    await this.#peer.setRemoteDescription({ type: "answer", sdp });
    this.#described = true;
    for (const candidate of this.#candidates.splice(0)) await this.#peer.addIceCandidate(candidate);
  }

  async #candidate(candidate) {
    if (!candidate) return; // the end of candidates; the browser needs no telling
    if (this.#described) await this.#peer.addIceCandidate(candidate);
    else this.#candidates.push(candidate);
  }

  #error({ code, message, retryable = false }) {
    const refusal = { reason: "refused", code, message, retryable };
    if (this.#live) this.emit("message", { type: "notice", level: "error", ...refusal });
    else this.#refusal = refusal; // the socket closes after it if the session cannot go on
  }

  #data(channel) {
    channel.onopen = () => {
      if (this.#closed) return;
      this.#live = true;
      this.emit("open", (text) => channel.readyState === "open" && channel.send(text));
    };
    channel.onmessage = ({ data }) => {
      const message = parseMessage(data);
      if (message && !this.#closed) this.emit("message", message);
    };
    channel.onclose = () => this.#end({ reason: "socket" });
  }

  #media(state) {
    if (this.#drop !== null) {
      this.#clock.clearTimeout(this.#drop);
      this.#drop = null;
    }
    if (state === "failed") this.#lose();
    else if (state === "disconnected") this.#drop = this.#after(DISCONNECTED_MS, () => this.#lose());
  }

  #lose() {
    this.#lingers = this.#live;
    this.#end({ reason: this.#live ? "socket" : "media" });
  }

  #end(how) {
    if (this.#closed) return;
    this.#closed = true;
    this.#live = false;
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
    this.#peer?.close();
    if (this.#lingers) this.#clock.setTimeout(() => this.#socket.close(), LINGER_MS);
    else this.#socket.close();
    this.emit("closed", how);
  }
}

function trickled({ candidate, sdpMid, sdpMLineIndex }) {
  return { candidate, sdpMid, sdpMLineIndex };
}
