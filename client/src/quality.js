import { text } from "./strings.js";

const EVERY_MS = 1_000;
const FAIR = { fps: 20, loss: 0.01, roundTrip: 0.2 }; // worse than this is felt
const POOR = { fps: 12, loss: 0.05, roundTrip: 0.4 };

/**
 * The numbers of one second from two reports of RTCPeerConnection.getStats (iterables of stats). Pure.
 * @returns {{fps: number, loss: number, roundTrip: number|null}|null} frames shown, share of packets lost, seconds;
 *   null before the media flow
 */
export function measure(before, after) {
  const earlier = new Map([...before].map((stats) => [stats.id, stats]));
  let [frames, lost, received, elapsed, roundTrip] = [0, 0, 0, 0, null];
  for (const stats of after) {
    if (stats.type === "candidate-pair" && stats.nominated && stats.state === "succeeded") {
      roundTrip = stats.currentRoundTripTime ?? null;
    }
    const old = earlier.get(stats.id);
    if (stats.type !== "inbound-rtp" || !old) continue;
    lost += Math.max(0, (stats.packetsLost ?? 0) - (old.packetsLost ?? 0));
    received += (stats.packetsReceived ?? 0) - (old.packetsReceived ?? 0);
    elapsed = (stats.timestamp - old.timestamp) / 1000;
    if (stats.kind === "video") frames = (stats.framesDecoded ?? 0) - (old.framesDecoded ?? 0);
  }
  if (!(elapsed > 0)) return null;
  return { fps: frames / elapsed, loss: lost + received ? lost / (lost + received) : 1, roundTrip };
}

/** "good", "fair" or "poor". A picture that stands still on purpose says nothing about the connection. */
export function rating({ fps, loss, roundTrip }) {
  const worse = (limit) => (fps > 0 && fps < limit.fps) || loss > limit.loss || (roundTrip ?? 0) > limit.roundTrip;
  return worse(POOR) ? "poor" : worse(FAIR) ? "fair" : "good";
}

/** The numbers in words: only those that are known. */
export function numbers({ fps, loss, roundTrip }) {
  const parts = [
    fps > 0 && text("quality.fps", { fps: Math.round(fps) }),
    text("quality.loss", { percent: (loss * 100).toFixed(loss > 0 && loss < 0.1 ? 1 : 0) }),
    roundTrip !== null && text("quality.trip", { ms: Math.max(1, Math.round(roundTrip * 1000)) }),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Shows how good the connection is, once a second. */
export class QualityView {
  #host;
  #peer;
  #timer = 0;
  #before = [];

  /** @param {() => RTCPeerConnection|null} peer */
  constructor(host, peer) {
    this.#host = host;
    this.#peer = peer;
  }

  /** A connection is there. */
  start() {
    this.stop();
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#before = [];
    delete this.#host.dataset.quality;
  }

  async #look() {
    const timer = this.#timer;
    const report = await this.#peer()?.getStats();
    if (!report || timer !== this.#timer) return; // it was stopped, or began anew, in the meantime
    const after = [...report.values()];
    const found = measure(this.#before, after);
    this.#before = after;
    if (!found) return;
    const [words, figures] = this.#host.children;
    this.#host.dataset.quality = rating(found);
    words.textContent = text(`quality.${rating(found)}`);
    figures.textContent = numbers(found);
  }
}
