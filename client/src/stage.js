import { nameOf } from "./gallery.js";
import { text } from "./strings.js";

/** What a `waiting` phase waits for: "returning" to a talk, "queued" for a free place, or "waiting" for the server. Pure. */
export function waitingFor({ reason = "", again = false }) {
  return again ? "returning" : reason === "refused" ? "queued" : "waiting";
}

/** The portrait on the wall: the still picture, the video over it once frames come, the name, the state. */
export class Stage {
  #parts;
  #media = new MediaStream();
  #phase = "off";
  #wait = "waiting";
  #state = "idle";
  #name = "";
  #withheld = false; // the video shows somebody else

  /** @param {{host, still, video, name, about, state, connect}} parts */
  constructor(parts) {
    this.#parts = parts;
    const { still } = parts;
    still.addEventListener("error", () => parts.host.classList.add("faceless"));
    still.addEventListener("load", () => parts.host.classList.remove("faceless"));
    this.#draw();
  }

  character(character) {
    const { host, still, name, about, video } = this.#parts;
    const title = nameOf(character);
    name.textContent = title;
    about.textContent = character?.description ?? "";
    about.hidden = !character?.description;
    video.setAttribute("aria-label", title);
    host.classList.toggle("faceless", !character?.portrait);
    if (!character?.portrait) still.removeAttribute("src");
    else if (still.getAttribute("src") !== character.portrait) still.src = character.portrait;
    this.#name = title;
    this.#draw();
  }

  /** A phase of the session; of a `waiting` one `reason` and `again` tell what is waited for. */
  phase(detail) {
    const { phase } = detail;
    this.#phase = phase;
    this.#wait = waitingFor(detail);
    if (phase !== "live") {
      this.#state = "idle";
      this.#still();
    }
    this.#draw();
  }

  state(state) {
    this.#state = state;
    this.#draw();
  }

  /** A remote track; resolves to false where the browser holds playing back until the person allows it. */
  async track(track) {
    for (const old of this.#media.getTracks()) if (old.kind === track.kind) this.#media.removeTrack(old);
    this.#media.addTrack(track);
    const { video } = this.#parts;
    // Only now: a video element that waits for an empty stream would hold back the page's load event.
    if (video.srcObject !== this.#media) video.srcObject = this.#media;
    if (track.kind === "video") {
      this.#awaitFrames();
      // No packets for a while: the still portrait is better than a frozen face.
      track.addEventListener("mute", () => this.#parts.host.classList.remove("moving"));
      track.addEventListener("unmute", () => this.#awaitFrames());
    }
    return this.play();
  }

  async play() {
    try {
      await this.#parts.video.play();
      return true;
    } catch (error) {
      return error.name !== "NotAllowedError"; // an AbortError only says that a newer track came in between
    }
  }

  /** Whether the video shows the character; while it does not, the still portrait is seen. */
  moves(moving) {
    this.#withheld = !moving;
    if (moving) this.#awaitFrames();
    else this.#parts.host.classList.remove("moving");
  }

  #awaitFrames() {
    const { video, host } = this.#parts;
    const shown = () => !this.#withheld && this.#media.getVideoTracks().length && host.classList.add("moving");
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
    else video.addEventListener("timeupdate", shown, { once: true });
  }

  #still() {
    this.#withheld = false;
    this.#parts.host.classList.remove("moving");
    for (const track of this.#media.getTracks()) this.#media.removeTrack(track);
    this.#parts.video.srcObject = null;
  }

  #draw() {
    const { host, state, connect } = this.#parts;
    const shown = this.#phase === "live" ? this.#state : this.#phase;
    host.dataset.state = shown;
    state.dataset.state = shown;
    const words = shown === "waiting" ? this.#wait : shown;
    state.lastElementChild.textContent = text(`state.${words}`);
    connect.dataset.phase = this.#phase;
    connect.setAttribute("aria-pressed", String(this.#phase !== "off"));
    const talk = this.#name ? text("connect.talk.to", { name: this.#name }) : text("connect.talk");
    const label = { off: talk, connecting: text("connect.connecting"), waiting: text(`connect.${this.#wait}`), live: text("connect.end") };
    connect.querySelector(".connect-long").textContent = label[this.#phase];
    connect.querySelector(".connect-short").textContent = this.#phase === "off" ? text("connect.talk") : label[this.#phase];
    connect.title = this.#phase === "off" ? "" : text("connect.end");
  }
}
