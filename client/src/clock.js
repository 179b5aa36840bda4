const KEPT = 8; // pings

/** Milliseconds since 1970, as even as performance.now(). */
export const now = () => performance.timeOrigin + performance.now();

/**
 * How the gateway's clock differs from ours, by pings over the data channel: the quickest of the last few tells it
 * best, for least can have happened on its way. Pure.
 */
export class ClockOffset {
  #pings = [];

  /** One answer: `sent` and `received` on our clock, `there` on the gateway's; all ms. */
  take({ sent, received, there }) {
    const roundTrip = received - sent;
    if (!Number.isFinite(there) || !(roundTrip >= 0)) return;
    this.#pings = [...this.#pings, { roundTrip, offset: there - (sent + received) / 2 }].slice(-KEPT);
  }

  /** The moment `there` (gateway) on our clock; null before the first answer. */
  here(there) {
    if (!this.#pings.length) return null;
    const best = this.#pings.reduce((one, other) => (other.roundTrip < one.roundTrip ? other : one));
    return there - best.offset;
  }

  forget() {
    this.#pings = [];
  }
}
