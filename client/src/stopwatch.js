import { say } from "./channel.js";
import { ClockOffset, now } from "./clock.js";
import { Emitter } from "./emitter.js";
import { Hearing } from "./hearing.js";
import { TurnTimes } from "./latency.js";

const PING_EVERY = 5_000; // ms
const FIRST_PINGS = 3;

/** Measures every turn from the person's last word to the moment they hear the answer. Emits `turn` ({turn, ms}). */
export class Stopwatch extends Emitter {
  #post;
  #offset = new ClockOffset();
  #times = new TurnTimes();
  #hearing = new Hearing();
  #timer = 0;

  /** @param {(message: object) => void} post sends over the data channel */
  constructor(post) {
    super();
    this.#post = post;
    this.#hearing.on("heard", (at) => this.#tell(this.#times.hears(at)));
  }

  /** A connection is there: from now on the clocks are compared. */
  start() {
    this.stop();
    for (let count = 0; count < FIRST_PINGS; count++) this.#ping();
    this.#timer = setInterval(() => this.#ping(), PING_EVERY);
  }

  /** No connection; the next one may be to another gateway. */
  stop() {
    clearInterval(this.#timer);
    this.#offset.forget();
  }

  close() {
    this.stop();
    this.#hearing.close();
  }

  track(track) {
    this.#hearing.track(track);
  }

  state({ state, at }) {
    if (state !== "speaking") return;
    this.#times.speaks(Number.isFinite(at) ? this.#offset.here(at) : null);
    this.#hearing.listen();
  }

  timing(message) {
    this.#tell(this.#times.take(message));
  }

  pong({ at, now: there }) {
    this.#offset.take({ sent: at, received: now(), there });
  }

  #ping() {
    this.#post(say.ping(now()));
  }

  #tell(turn) {
    if (turn) this.emit("turn", turn);
  }
}
