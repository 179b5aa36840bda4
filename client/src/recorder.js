import { Emitter } from "./emitter.js";
import { Microphone } from "./microphone.js";

export const LEAST_SECONDS = 3; // as the contracts say
export const ENOUGH_SECONDS = 10;
export const MOST_SECONDS = 20; // recording ends by itself
export const MAX_SAMPLE_BYTES = 20 * 2 ** 20; // as the gateway says

// The voice as it is: what helps a talk (echo and noise taken out) changes its colour.
const CONSTRAINTS = { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: true, channelCount: 1 } };
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const TICK = 200; // ms

/** How far a recording is: "short" (of no use yet), "going" (better longer), "enough" or "full". */
export function progressOf(seconds) {
  if (seconds < LEAST_SECONDS) return "short";
  if (seconds < ENOUGH_SECONDS) return "going";
  return seconds < MOST_SECONDS ? "enough" : "full";
}

/** What is wrong with a file as a voice sample: a key of strings.js, or null. The server listens closer. */
export function sampleProblem({ type = "", size }) {
  if (type && !/^(audio|video)\//.test(type) && type !== "application/ogg") return "sample.type";
  if (size > MAX_SAMPLE_BYTES) return "sample.large";
  return size ? null : "sample.empty";
}

/**
 * Records one voice sample. Emits `level` (0..1), `progress` (seconds), `recorded` ({blob, seconds}) and `failed`.
 * The parts of the browser can be given by tests.
 */
export class Recorder extends Emitter {
  #microphone;
  #parts;
  #media = null;
  #timer = 0;
  #opening = null; // the start that waits for the microphone

  constructor(parts = {}) {
    super();
    this.#parts = {
      Media: globalThis.MediaRecorder,
      stream: (track) => new MediaStream([track]),
      now: () => performance.now(),
      setInterval: (action, every) => setInterval(action, every),
      clearInterval: (timer) => clearInterval(timer),
      ...parts,
    };
    this.#microphone = parts.microphone ?? new Microphone(CONSTRAINTS);
    this.#microphone.on("level", (level) => this.emit("level", level));
    this.#microphone.on("ended", () => this.stop());
  }

  get recording() {
    return this.#media !== null;
  }

  /** Begins; rejects as openDevice does when there is no microphone. */
  async start() {
    if (this.#media || this.#opening) return;
    const opening = (this.#opening = { cancelled: false });
    let track;
    try {
      track = await this.#microphone.open();
    } finally {
      if (this.#opening === opening) this.#opening = null;
    }
    if (opening.cancelled) return void (this.#opening || this.#media || this.#microphone.close());
    try {
      this.#begin(track);
    } catch (error) {
      this.#end(); // a microphone that nothing records is let go
      throw error;
    }
  }

  #begin(track) {
    const { Media, stream, now } = this.#parts;
    const mimeType = TYPES.find((type) => Media.isTypeSupported(type)) ?? "";
    const media = (this.#media = new Media(stream(track), { mimeType, audioBitsPerSecond: 128_000 }));
    const chunks = [];
    const began = now();
    media.ondataavailable = ({ data }) => data.size && chunks.push(data);
    media.onerror = () => {
      this.cancel();
      this.emit("failed");
    };
    media.onstop = () => {
      if (this.#media !== media) return; // cancelled
      const seconds = (now() - began) / 1000;
      this.#end();
      const type = (media.mimeType || mimeType).split(";")[0];
      this.emit("recorded", { blob: new Blob(chunks, { type }), seconds });
    };
    media.start(1000); // a second at a time: what was said is not lost with the page's memory
    this.#timer = this.#parts.setInterval(() => {
      const seconds = (now() - began) / 1000;
      this.emit("progress", Math.min(seconds, MOST_SECONDS));
      if (progressOf(seconds) === "full") this.stop();
    }, TICK);
  }

  stop() {
    if (this.#media?.state === "recording") this.#media.stop();
  }

  /** Throws away what is being recorded. */
  cancel() {
    if (this.#opening) this.#opening.cancelled = true; // the browser still asks
    this.#opening = null;
    const media = this.#media;
    if (!media) return;
    this.#end();
    if (media?.state === "recording") media.stop();
  }

  #end() {
    this.#parts.clearInterval(this.#timer);
    this.#media = null;
    this.#microphone.close();
  }
}
