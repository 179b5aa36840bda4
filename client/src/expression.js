import { EMOTIONS, say } from "./channel.js";
import { element, icon } from "./dom.js";
import { text } from "./strings.js";

const SETTLES_MS = 1_000; // the hand on the slider wins over the gateway's echo for so long
const SENDS_EVERY_MS = 80;

/** Seven emotions and their intensity. Calls `post(message)`. */
export class ExpressionView {
  #buttons = new Map();
  #slider;
  #output;
  #post;
  #emotion = "neutral";
  #touched = -Infinity;
  #timer = null;

  constructor({ host, slider, output }, post) {
    this.#slider = slider;
    this.#output = output;
    this.#post = post;
    for (const emotion of EMOTIONS) {
      const button = element(
        "button",
        { type: "button", class: "emotion", data: { testid: `emotion-${emotion}` }, "aria-pressed": "false", title: text(`emotion.${emotion}`) },
        icon(emotion),
        element("span", {}, text(`emotion.${emotion}`)),
      );
      button.addEventListener("click", () => this.#choose(emotion));
      this.#buttons.set(emotion, button);
      host.append(button);
    }
    slider.addEventListener("input", () => this.#slide());
    this.#draw();
  }

  /** What the face shows now, as the gateway tells. */
  shows({ emotion, intensity }) {
    if (performance.now() - this.#touched < SETTLES_MS) return;
    this.#emotion = emotion;
    if (Number.isFinite(intensity) && emotion !== "neutral") this.#slider.value = String(intensity);
    this.#draw();
  }

  #choose(emotion) {
    this.#touched = performance.now();
    this.#emotion = emotion;
    this.#draw();
    this.#send();
  }

  #slide() {
    this.#touched = performance.now();
    this.#draw();
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#send();
    }, SENDS_EVERY_MS);
  }

  #send() {
    this.#post(say.emotion(this.#emotion, Number(this.#slider.value)));
  }

  #draw() {
    for (const [emotion, button] of this.#buttons) button.setAttribute("aria-pressed", String(emotion === this.#emotion));
    const percent = Math.round(Number(this.#slider.value) * 100);
    this.#slider.setAttribute("aria-valuetext", `${percent} %`);
    this.#slider.style.setProperty("--filled", `${percent}%`);
    this.#output.textContent = `${percent} %`;
  }
}
