import { now } from "./clock.js";
import { Emitter } from "./emitter.js";

const LOUD = 0.01; // of full scale: -40 dB
const WINDOW = 2048; // samples looked at in one go, 43 ms at 48 kHz
const EVERY_MS = 20; // less than a window: no sample is missed
const PATIENCE_MS = 5_000;

/** Where sound begins in `samples` (-1..1): the index of the first loud one, or -1. Pure. */
export function onset(samples) {
  return samples.findIndex((sample) => Math.abs(sample) > LOUD);
}

/** Listens to what the loudspeaker gets. Emits `heard` (ms on the page's clock) once after each `listen`. */
export class Hearing extends Emitter {
  #context = null;
  #source = null;
  #analyser = null;
  #samples = new Float32Array(WINDOW);
  #timer = 0;

  /** The portrait's sound from now on comes from this track. */
  track(track) {
    if (track.kind !== "audio" || !globalThis.AudioContext) return;
    this.#context ??= new AudioContext();
    this.#context.resume();
    this.#source?.disconnect();
    this.#analyser ??= new AnalyserNode(this.#context, { fftSize: WINDOW });
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
  }

  /** Waits for the next sound. */
  listen() {
    clearInterval(this.#timer);
    if (!this.#analyser) return;
    const until = now() + PATIENCE_MS;
    this.#timer = setInterval(() => this.#look(until), EVERY_MS);
  }

  close() {
    clearInterval(this.#timer);
    this.#context?.close();
    this.#context = this.#analyser = this.#source = null;
  }

  #look(until) {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const first = onset(this.#samples);
    if (first < 0) {
      if (now() > until) clearInterval(this.#timer);
      return;
    }
    clearInterval(this.#timer);
    const { sampleRate, outputLatency = 0 } = this.#context;
    this.emit("heard", now() - ((WINDOW - first) / sampleRate) * 1000 + outputLatency * 1000);
  }
}
