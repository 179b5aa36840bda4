import { Emitter } from "./emitter.js";

const SIZE = 512; // px, as the picture comes
const RATE = 25; // frames a second
const TYPES = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];
export const MAX_FILM_BYTES = 1 << 30; // kept in memory until it is saved; then it ends by itself
const TICK_MS = 1_000;

/** The file's name: with whom, and when it began. Characters that file systems refuse are left out. */
export function filmName(who, began, type) {
  const two = (value) => String(value).padStart(2, "0");
  const day = [began.getFullYear(), two(began.getMonth() + 1), two(began.getDate())].join("-");
  const time = [began.getHours(), began.getMinutes(), began.getSeconds()].map(two).join(".");
  const name = who.replace(/[\u0000-\u001f\u007f\\/:*?"<>|]+/g, " ").replace(/\s+/g, " ").trim().slice(0, 60);
  return `${["Antlitz", name, day, time].filter(Boolean).join(" ")}.${type.includes("mp4") ? "mp4" : "webm"}`;
}

/** "m:ss" */
export function filmTime(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/**
 * Films the conversation: the picture as it is seen, and both voices. Tracks may come and go with the connection; the
 * film goes on, for it is drawn and mixed here. Emits `began`, `tick` (seconds), `done` ({blob, name}) and `failed`.
 */
export class Filming extends Emitter {
  #video;
  #still;
  #context = null;
  #mix = null;
  #sources = new Map(); // by "avatar" and "person"
  #tracks = new Map();
  #media = null;
  #timers = [];

  /** @param {{video: HTMLVideoElement, still: HTMLImageElement}} pictures the still is filmed while no video is seen */
  constructor({ video, still }) {
    super();
    this.#video = video;
    this.#still = still;
  }

  get running() {
    return this.#media !== null;
  }

  /** Whose voice comes from which track from now on; null: nobody's. */
  voice(who, track) {
    this.#tracks.set(who, track);
    if (this.#context) this.#plug(who);
  }

  /** Begins a film with `who` (a name, for the file's). */
  start(who) {
    if (this.#media) return;
    try {
      this.#begin(who);
    } catch {
      this.#end();
      this.emit("failed");
    }
  }

  /** Ends the film; `done` follows. */
  stop() {
    if (this.#media?.state === "recording") this.#media.stop();
  }

  #begin(who) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIZE;
    const pencil = canvas.getContext("2d", { alpha: false });
    this.#context = new AudioContext();
    this.#mix = this.#context.createMediaStreamDestination();
    for (const each of this.#tracks.keys()) this.#plug(each);
    const stream = new MediaStream([...canvas.captureStream(RATE).getTracks(), ...this.#mix.stream.getAudioTracks()]);
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
    const media = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: 2_000_000, audioBitsPerSecond: 128_000 });
    const began = new Date();
    const since = performance.now(); // no clock that is set
    const chunks = [];
    let bytes = 0;
    media.ondataavailable = ({ data }) => {
      if (data.size) chunks.push(data);
      bytes += data.size;
      if (bytes > MAX_FILM_BYTES) this.stop();
    };
    media.onerror = () => {
      this.#end();
      this.emit("failed");
    };
    media.onstop = () => {
      if (this.#media !== media) return; // it failed
      this.#end();
      const type = (media.mimeType || mimeType).split(";")[0];
      this.emit("done", { blob: new Blob(chunks, { type }), name: filmName(who, began, type) });
    };
    this.#draw(pencil);
    this.#timers = [
      setInterval(() => this.#draw(pencil), 1000 / RATE),
      setInterval(() => this.emit("tick", (performance.now() - since) / 1000), TICK_MS),
    ];
    this.#media = media;
    media.start(1000); // a second at a time
    this.emit("began");
  }

  #draw(pencil) {
    const moving = this.#video.readyState >= 2 && getComputedStyle(this.#video).opacity > 0;
    const picture = moving ? this.#video : this.#still;
    const width = moving ? picture.videoWidth : picture.naturalWidth;
    const height = moving ? picture.videoHeight : picture.naturalHeight;
    if (!width) return;
    const side = Math.min(width, height); // as the page crops it: a square, a face's height from the top
    pencil.drawImage(picture, (width - side) / 2, (height - side) * (moving ? 0.5 : 0.22), side, side, 0, 0, SIZE, SIZE);
  }

  #plug(who) {
    this.#sources.get(who)?.disconnect();
    this.#sources.delete(who);
    const track = this.#tracks.get(who);
    if (!track || track.readyState === "ended") return;
    const source = this.#context.createMediaStreamSource(new MediaStream([track]));
    source.connect(this.#mix);
    this.#sources.set(who, source);
  }

  #end() {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#media = null;
    this.#sources.clear();
    this.#context?.close();
    this.#context = this.#mix = null;
  }
}
