import { Filming, filmTime } from "./filming.js";
import { text } from "./strings.js";

const RELEASE_MS = 60_000; // a browser that asks where to save needs the film until then

/** The button that records the conversation, the badge on the picture while it does, and the file at the end. */
export class FilmView {
  #filming;
  #button;
  #badge;
  #notices;

  /**
   * @param {{button, badge, video, still}} parts
   * @param {{notices: import("./notices.js").Notices, who: () => string}} talk
   */
  constructor({ button, badge, video, still }, { notices, who }) {
    this.#filming = new Filming({ video, still });
    this.#button = button;
    this.#badge = badge;
    this.#notices = notices;
    if (!globalThis.MediaRecorder) button.hidden = true;
    button.addEventListener("click", () => (this.#filming.running ? this.stop() : this.#filming.start(who())));
    this.#filming.on("began", () => this.#draw(0));
    this.#filming.on("tick", (seconds) => this.#draw(seconds));
    this.#filming.on("failed", () => {
      this.#draw(null);
      notices.show({ code: "film", level: "warning", message: text("film.failed") });
    });
    this.#filming.on("done", (film) => {
      this.#draw(null);
      this.#save(film);
    });
  }

  /** As Filming's. */
  voice(who, track) {
    this.#filming.voice(who, track);
  }

  stop() {
    this.#filming.stop();
  }

  /** `seconds` of film so far; null: none is made. */
  #draw(seconds) {
    const running = seconds !== null;
    this.#button.setAttribute("aria-pressed", String(running));
    this.#button.lastElementChild.textContent = text(running ? "film.stop" : "film.start");
    this.#badge.hidden = !running;
    if (running) this.#badge.lastElementChild.textContent = `${text("film.recording")} ${filmTime(seconds)}`;
  }

  #save({ blob, name }) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), RELEASE_MS);
    this.#notices.show({ code: "film", message: text("film.saved", { name }) });
  }
}
