import { Emitter } from "./emitter.js";

const CONSTRAINTS = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } };
const LOOK_MS = 50; // between two looks at the loudness: more would have the browser draw the page for nothing else
const FALL = 0.68; // of the meter, from one look to the next
const FLOOR_DB = -60; // what a quiet room has
const CEILING_DB = -12; // what a close voice reaches

const PROBLEMS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
};

/**
 * Why a device could not be opened: "insecure", "denied", "none", "busy" or "failed".
 * @param {{name?: string}|null} error what getUserMedia rejected with
 * @param {{secure: boolean, available: boolean}} context whether the page is secure and has mediaDevices
 */
export function deviceProblem(error, { secure, available }) {
  if (!secure || !available) return "insecure";
  return PROBLEMS[error?.name] ?? "failed";
}

/** Loudness of samples (-1..1) as 0..1 on a decibel scale, for a meter. */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (decibels - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}

export function deviceContext() {
  return { secure: window.isSecureContext, available: Boolean(navigator.mediaDevices?.getUserMedia) };
}

/** Asks for a device; rejects with an Error whose `problem` is deviceProblem's word. */
export async function openDevice(constraints) {
  const context = deviceContext();
  try {
    if (!context.secure || !context.available) throw new Error("no mediaDevices");
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw Object.assign(new Error("device", { cause: error }), { problem: deviceProblem(error, context) });
  }
}

/** The person's microphone: opened once, muted and unmuted, measured. Emits `track`, `level` (0..1) and `ended`. */
export class Microphone extends Emitter {
  track = null;
  #constraints;
  #context = null;
  #looking = 0;
  #opening = null;

  constructor(constraints = CONSTRAINTS) {
    super();
    this.#constraints = constraints;
  }

  /** The track, asked for if need be. Rejects as openDevice does. */
  async open() {
    if (this.track) return this.track;
    this.#opening ??= openDevice(this.#constraints).finally(() => (this.#opening = null));
    const stream = await this.#opening;
    if (this.track) return this.track;
    [this.track] = stream.getAudioTracks();
    this.track.addEventListener("ended", () => {
      this.close();
      this.emit("ended");
    });
    this.#measure(stream);
    this.emit("track", this.track);
    return this.track;
  }

  get hears() {
    return Boolean(this.track?.enabled);
  }

  mute(muted) {
    if (this.track) this.track.enabled = !muted;
    if (muted) this.emit("level", 0);
  }

  close() {
    clearInterval(this.#looking);
    this.#context?.close();
    this.#context = null;
    this.track?.stop();
    if (this.track) this.emit("track", null);
    this.track = null;
    this.emit("level", 0);
  }

  #measure(stream) {
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let shown = 0;
    const look = () => {
      analyser.getFloatTimeDomainData(samples);
      const level = this.hears ? loudness(samples) : 0;
      shown = Math.max(level, shown * FALL); // rises at once, falls gently
      this.emit("level", shown);
    };
    look();
    this.#looking = setInterval(look, LOOK_MS);
  }
}
