import { cloning } from "./cloning.js";
import { reading } from "./reading.js";
import { LEAST_SECONDS, MOST_SECONDS, Recorder, progressOf, sampleProblem } from "./recorder.js";
import { text } from "./strings.js";

/**
 * The place in the dialog where a character's own voice comes from: the microphone or a file.
 * `file` is what was recorded or chosen, or null while the character's own stays; `removed` says that it shall go.
 */
export class VoiceSample {
  file = null;
  removed = false;
  #parts;
  #recorder;
  #url = null;
  #stored = null; // the address of the character's own
  #roles = null;
  #language = "en";
  #onRecording;

  /**
   * @param {(name: string) => HTMLElement} part finds the parts by name
   * @param {(recording: boolean) => void} onRecording a talk should not hear what is read
   */
  constructor(part, onRecording = () => {}, recorder = new Recorder()) {
    const names = ["record", "record-word", "upload", "file", "discard", "player", "meter", "progress", "seconds", "status"];
    names.push("error", "consent", "consent-row", "stored", "stored-player", "remove", "reading", "reading-words", "missing", "licence");
    this.#parts = Object.fromEntries(names.map((name) => [name, part(`sample-${name}`)]));
    this.#onRecording = onRecording;
    this.#recorder = recorder;
    this.#listen();
  }

  /** Begins anew with the recording at `address`, or none. */
  reset(address) {
    this.#cancel();
    this.#stored = address;
    this.removed = false;
    this.#keep(null);
    this.error("");
    this.#say("");
    this.#draw();
  }

  /** What the dialog says the character speaks, and which engines there are. */
  show(roles, language) {
    this.#roles = roles;
    this.#language = language;
    const { words, language: written } = reading(language);
    const passage = this.#parts["reading-words"];
    passage.textContent = words;
    passage.lang = written;
    this.#draw();
  }

  error(message) {
    this.#parts.error.textContent = message;
    this.#parts.error.hidden = !message;
  }

  /** Whether a new sample may be sent: the consent is asked for where it is missing. */
  agreed() {
    if (this.#recorder.recording) {
      this.#recorder.stop(); // what is being recorded is not sent unheard
      this.error(text("sample.consent.needed"));
      return false;
    }
    if (!this.file || this.#parts.consent.checked) return true;
    this.error(text("sample.consent.needed"));
    this.#parts.consent.focus();
    return false;
  }

  /**
   * The recording that a cloning engine could speak with now, for a trial: the new one, else the character's own.
   * @returns {File|string|null} a file, or an address
   */
  trial() {
    if (!cloning(this.#roles, this.#language).ready) return null;
    return this.file ?? (this.removed ? null : this.#stored);
  }

  #listen() {
    const { record, upload, file, discard, remove, consent } = this.#parts;
    record.addEventListener("click", () => (this.#recorder.recording ? this.#recorder.stop() : this.#record()));
    upload.addEventListener("click", () => file.click());
    file.addEventListener("change", () => file.files[0] && this.#choose(file.files[0]));
    discard.addEventListener("click", () => {
      this.#cancel();
      this.#keep(null);
      this.#say(this.removed ? text("sample.removed") : "");
      this.#draw();
      record.focus();
    });
    remove.addEventListener("click", () => {
      this.removed = true;
      this.#say(text("sample.removed"));
      this.#draw();
      record.focus();
    });
    consent.addEventListener("change", () => this.error(""));
    this.#recorder.on("level", (level) => this.#level(level));
    this.#recorder.on("progress", (seconds) => this.#progress(seconds));
    this.#recorder.on("recorded", (recorded) => this.#recorded(recorded));
    this.#recorder.on("failed", () => {
      this.error(text("sample.failed"));
      this.#ended();
    });
  }

  async #record() {
    if (!globalThis.MediaRecorder) return this.error(text("sample.unsupported"));
    this.error("");
    this.#keep(null);
    try {
      await this.#recorder.start();
    } catch ({ problem }) {
      this.error(text(`mic.${problem ?? "failed"}`));
      return this.#draw();
    }
    if (!this.#recorder.recording) return; // cancelled while the browser asked
    this.#onRecording(true);
    this.#progress(0);
    this.#draw();
  }

  #cancel() {
    const recording = this.#recorder.recording;
    this.#recorder.cancel();
    if (recording) this.#onRecording(false);
  }

  #ended() {
    this.#onRecording(false);
    this.#draw();
  }

  #recorded({ blob, seconds }) {
    if (seconds < LEAST_SECONDS) {
      this.#say("");
      this.error(text("sample.tooshort"));
    } else {
      this.#keep(new File([blob], "voice", { type: blob.type }));
      this.#say(text("sample.done", { seconds: Math.round(seconds) }));
    }
    this.#ended();
  }

  #choose(file) {
    this.#parts.file.value = "";
    const problem = sampleProblem(file);
    if (problem) return this.error(text(problem));
    this.#cancel();
    this.error("");
    this.#keep(file);
    this.#say(text("sample.chosen", { name: file.name }));
    this.#draw();
  }

  #keep(file) {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.file = file;
    this.#url = file && URL.createObjectURL(file);
    this.#parts.consent.checked = false;
    if (file) this.#parts.player.src = this.#url;
    else this.#parts.player.removeAttribute("src");
  }

  #say(words) {
    if (this.#parts.status.textContent !== words) this.#parts.status.textContent = words; // a reader says it once
  }

  #level(level) {
    this.#parts.meter.style.setProperty("--level", level.toFixed(3));
    this.#parts.meter.setAttribute("aria-valuenow", String(Math.round(level * 10) * 10));
  }

  #progress(seconds) {
    this.#parts.progress.value = seconds;
    this.#parts.seconds.textContent = text("sample.seconds", { seconds: Math.floor(seconds), most: MOST_SECONDS });
    const phase = progressOf(seconds);
    if (phase !== "full") this.#say(text(`sample.${phase}`));
  }

  #draw() {
    const parts = this.#parts;
    const recording = this.#recorder.recording;
    const { licence, missing } = cloning(this.#roles, this.#language);
    parts.record.classList.toggle("recording", recording);
    parts["record-word"].textContent = text(recording ? "sample.stop" : "sample.record");
    parts.upload.hidden = recording;
    parts.discard.hidden = !this.file && !recording;
    parts.meter.parentElement.hidden = !recording;
    parts.reading.hidden = Boolean(this.file);
    parts.player.hidden = !this.file;
    parts["consent-row"].hidden = !this.file;
    const own = Boolean(this.#stored) && !this.removed && !this.file && !recording;
    parts.stored.hidden = !own;
    if (own && parts["stored-player"].getAttribute("src") !== this.#stored) parts["stored-player"].src = this.#stored;
    else if (!own) parts["stored-player"].removeAttribute("src");
    parts.licence.textContent = licence;
    parts.missing.textContent = missing;
    parts.missing.hidden = !missing;
  }
}
