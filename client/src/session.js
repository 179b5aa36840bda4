import { backoff } from "./backoff.js";
import { Outbox } from "./channel.js";
import { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";

const RETURN_SECONDS = 2; // between tries while the gateway still has the session …
const RETURN_TRIES = 15; // … which is 30 s after a network fell silent

/**
 * A talk that outlives its connections: starts, comes back to its session with backoff, ends.
 *
 * Emits `phase` ({phase: "off"|"connecting"|"live"|"waiting", …}), `peer`, `track`, `message`.
 * A `live` phase tells `again` (whether it was live before) and `resumed` (whether it is the same session);
 * a `waiting` phase tells `reason`, `seconds` until the next try and `again`;
 * an `off` phase tells `refusal` ({code, message}) when the server will not have this session.
 */
export class Session extends Emitter {
  phase = "off";
  #connection = null;
  #former = null; // the connection that was lost last
  #outbox = new Outbox();
  #options;
  #clock;
  #attempt = 0;
  #wasLive = false;
  #retry = null;
  #track = null;
  #token = null; // of the session that the gateway has, or remembers

  /**
   * @param {{createSocket: (resume: boolean) => WebSocket, createPeer: (config: object) => RTCPeerConnection,
   *          character: () => string|null, clock?: {setTimeout: Function, clearTimeout: Function}}} options
   */
  constructor(options) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? globalThis;
  }

  get peer() {
    return this.#connection?.peer ?? null;
  }

  start() {
    if (this.phase !== "off") return;
    this.#attempt = 0;
    this.#wasLive = false;
    this.#connect();
  }

  /** Ends the talk, saying bye if the server still hears. */
  stop() {
    this.#cancelRetry();
    this.#outbox.forget();
    const [connection, former] = [this.#connection, this.#former];
    this.#connection = this.#former = this.#token = null;
    former?.abandon();
    connection?.close();
    this.#outbox.close();
    this.#enter({ phase: "off" });
  }

  /** Tries again at once, if it was waiting to. */
  retryNow() {
    if (this.phase !== "waiting") return;
    this.#cancelRetry();
    this.#connect();
  }

  /** Sends one message of channel.js; before the channel is open it waits, or is repeated, as channel.js says. */
  post(message) {
    this.#outbox.post(message);
  }

  async setTrack(track) {
    this.#track = track;
    await this.#connection?.setTrack(track);
  }

  #enter(detail) {
    if (this.phase === "off" && detail.phase === "off") return;
    this.phase = detail.phase;
    this.emit("phase", detail);
  }

  #connect() {
    this.#enter({ phase: "connecting", again: this.#wasLive });
    const { createSocket, createPeer, character } = this.#options;
    const connection = new Connection({
      createSocket,
      createPeer,
      character: character(),
      track: this.#track,
      token: this.#token,
      clock: this.#clock,
    });
    this.#connection = connection;
    let resumed = false;
    connection.on("greeted", (greeting) => {
      resumed = greeting.resumed;
      if (connection === this.#connection) this.#token = greeting.token;
    });
    connection.on("peer", (peer) => this.emit("peer", peer));
    connection.on("track", (track) => this.emit("track", track));
    connection.on("message", (message) => this.emit("message", message));
    connection.on("open", (send) => {
      const again = this.#wasLive;
      this.#attempt = 0;
      this.#wasLive = true;
      this.#outbox.open(send);
      this.#enter({ phase: "live", again, resumed });
    });
    connection.on("closed", (how) => {
      if (connection !== this.#connection) return;
      this.#connection = null;
      if (how.reason === "socket") this.#former = connection;
      this.#outbox.close();
      this.#lost(how);
    });
  }

  #lost({ reason, code, message, retryable }) {
    if (reason === "refused" && !retryable) {
      this.#outbox.forget();
      this.#token = null;
      this.#enter({ phase: "off", refusal: { code, message } });
      return;
    }
    const returning = this.#token !== null && this.#wasLive && this.#attempt < RETURN_TRIES;
    const seconds = returning ? backoff(this.#attempt++, RETURN_SECONDS) : backoff(this.#attempt++);
    this.#retry = this.#clock.setTimeout(() => {
      this.#retry = null;
      this.#connect();
    }, seconds * 1000);
    this.#enter({ phase: "waiting", reason, code, message, seconds, again: this.#wasLive });
  }

  #cancelRetry() {
    if (this.#retry !== null) this.#clock.clearTimeout(this.#retry);
    this.#retry = null;
  }
}
