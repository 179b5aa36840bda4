import { pictureProblem } from "./character_form.js";
import { openDevice } from "./microphone.js";
import { text } from "./strings.js";

const JPEG_QUALITY = 0.94;

/**
 * The place in the dialog where a portrait comes from: a file, a drop, a paste, or the camera.
 * `file` is what was chosen, or null while the character's own stays.
 */
export class PortraitInput {
  file = null;
  #parts;
  #url = null;
  #stream = null;

  /** @param {{zone, image, video, input, error, pick, camera, shoot}} parts */
  constructor(parts) {
    this.#parts = parts;
    const { zone, input, pick, camera, shoot } = parts;
    pick.addEventListener("click", () => input.click());
    input.addEventListener("change", () => input.files[0] && this.#take(input.files[0]));
    camera.addEventListener("click", () => (this.#stream ? this.#stopCamera() : this.#startCamera()));
    shoot.addEventListener("click", () => this.#shoot());
    for (const event of ["dragenter", "dragover"]) {
      zone.addEventListener(event, (drag) => {
        drag.preventDefault();
        zone.classList.add("dropping");
      });
    }
    for (const event of ["dragleave", "drop"]) zone.addEventListener(event, () => zone.classList.remove("dropping"));
    zone.addEventListener("drop", (drop) => {
      drop.preventDefault();
      const [file] = drop.dataTransfer.files;
      if (file) this.#take(file);
    });
    zone.closest("dialog").addEventListener("paste", ({ clipboardData }) => {
      const file = [...clipboardData.files].find(({ type }) => type.startsWith("image/"));
      if (file) this.#take(file);
    });
  }

  /** Begins anew with the portrait at `url`, or none. */
  reset(url) {
    this.#stopCamera();
    this.#release();
    this.file = null;
    this.#parts.input.value = "";
    this.error("");
    this.#show(url);
  }

  error(message) {
    this.#parts.error.textContent = message;
    this.#parts.error.hidden = !message;
  }

  #show(url) {
    const { zone, image } = this.#parts;
    zone.classList.toggle("filled", Boolean(url));
    if (url) image.src = url;
    else image.removeAttribute("src");
  }

  async #take(file) {
    this.#stopCamera();
    const problem = pictureProblem(file);
    if (problem) return this.error(problem);
    const url = URL.createObjectURL(file);
    const probe = new Image();
    probe.src = url;
    try {
      await probe.decode();
    } catch {
      URL.revokeObjectURL(url);
      return this.error(text("editor.portrait.broken"));
    }
    this.#release();
    this.#url = url;
    this.file = file;
    this.error("");
    this.#show(url);
  }

  async #startCamera() {
    try {
      this.#stream = await openDevice({ video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 1280 } } });
    } catch ({ problem }) {
      return this.error(text(`camera.${problem}`));
    }
    this.error("");
    const { zone, video } = this.#parts;
    video.srcObject = this.#stream;
    zone.classList.add("filming");
    await video.play().catch(() => {});
  }

  async #shoot() {
    const { video } = this.#parts;
    const side = Math.min(video.videoWidth, video.videoHeight);
    if (!side) return;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const [x, y] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    canvas.getContext("2d").drawImage(video, x, y, side, side, 0, 0, side, side);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", JPEG_QUALITY));
    if (blob) await this.#take(new File([blob], "camera.jpg", { type: "image/jpeg" }));
  }

  #stopCamera() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#parts.video.srcObject = null;
    this.#parts.zone.classList.remove("filming");
  }

  #release() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = null;
  }
}
