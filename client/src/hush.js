const LONGEST_MS = 3_000; // a gateway that forgets to take it back is not obeyed longer

/**
 * Silences the portrait at once when the gateway holds it: what it has already sent lies in the jitter buffer and would
 * be heard for another tenth of a second. What is not heard here, the gateway says again.
 */
export class Hush {
  #track = null;
  #timer = null;
  #clock;

  /** @param {{setTimeout: Function, clearTimeout: Function}} clock */
  constructor(clock = globalThis) {
    this.#clock = clock;
  }

  /** The portrait's sound. */
  track(track) {
    this.#track = track;
    this.#let();
  }

  /** The gateway's message `hold`. */
  hold({ on }) {
    if (!on) return this.#let();
    if (this.#track) this.#track.enabled = false;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#let(), LONGEST_MS);
  }

  /** It speaks: whatever was held is over. */
  state({ state }) {
    if (state === "speaking") this.#let();
  }

  #let() {
    this.#clock.clearTimeout(this.#timer);
    if (this.#track) this.#track.enabled = true;
  }
}
