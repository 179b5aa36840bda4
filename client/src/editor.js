import { aboutRenderer, engineChoices, fieldsToSend, rendererChoices, sampleSentence, shortName, voiceGroups } from "./character_form.js";
import { choice, fill, fillGroups } from "./dom.js";
import { Emitter } from "./emitter.js";
import { nameOf } from "./gallery.js";
import { languageGroups, languageName } from "./languages.js";
import { PortraitInput } from "./portrait_input.js";
import { text } from "./strings.js";
import { VoiceSample } from "./voice_sample.js";

const PORTRAIT_CODES = new Set(["no_face", "several_faces", "face_too_small", "invalid_image", "too_large"]);

/**
 * The dialog that makes, changes and deletes a character.
 * Emits `saved` (character), `deleted` (character), `activated` (character) and `recording` (whether it does).
 */
export class Editor extends Emitter {
  #dialog;
  #form;
  #api;
  #character = null; // null: a new one
  #roles = {};
  #nameTyped = false;
  #portrait;
  #sample;
  #player = new Audio();

  constructor(dialog, api) {
    super();
    this.#dialog = dialog;
    this.#form = dialog.querySelector("form");
    this.#api = api;
    this.#portrait = new PortraitInput({
      zone: this.#part("zone"),
      image: this.#part("preview"),
      video: this.#part("camera-view"),
      input: this.#part("file"),
      error: this.#part("portrait-error"),
      pick: this.#part("pick"),
      camera: this.#part("camera"),
      shoot: this.#part("shoot"),
    });
    this.#sample = new VoiceSample((name) => this.#part(name), (recording) => this.emit("recording", recording));
    this.#listen();
  }

  /** Opens for `character`, or for a new one. `roles` is what GET /api/engines tells. */
  open(character, roles) {
    this.#roles = roles ?? {};
    this.#fill(character);
    this.#dialog.showModal();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-part="${name}"]`);
  }

  #field(name) {
    return this.#form.elements[name];
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    this.#part("cancel").addEventListener("click", () => this.#dialog.close());
    this.#part("close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => {
      this.#player.pause();
      this.#portrait.reset(null);
      this.#sample.reset(null);
    });
    this.#field("display_name").addEventListener("input", ({ target }) => {
      if (!this.#character && !this.#nameTyped) this.#field("name").value = shortName(target.value);
    });
    this.#field("name").addEventListener("input", () => (this.#nameTyped = true));
    for (const name of ["language", "engine"]) this.#field(name).addEventListener("change", () => this.#voices(this.#field("voice").value));
    this.#field("language").addEventListener("change", () => this.#showSample());
    this.#field("renderer").addEventListener("change", () => this.#renderer());
    this.#part("listen").addEventListener("click", () => this.#listenToVoice());
    this.#part("delete").addEventListener("click", () => this.#asking(true));
    this.#part("keep").addEventListener("click", () => this.#asking(false));
    this.#part("delete-really").addEventListener("click", () => this.#delete());
    this.#part("activate").addEventListener("click", () => this.#activate());
  }

  #fill(character) {
    this.#character = character;
    this.#nameTyped = false;
    const name = nameOf(character);
    this.#part("title").textContent = character ? text("editor.edit", { name }) : text("editor.create");
    for (const field of ["display_name", "name", "description", "personality"]) {
      this.#field(field).value = character?.[field] ?? "";
    }
    fillGroups(this.#field("language"), languageGroups(), ({ codes }) => codes.map((code) => ({ value: code, label: languageName(code) })));
    this.#field("language").value = character?.language ?? "en";
    const { tts, render } = this.#roles;
    fill(this.#field("engine"), engineChoices(tts, character?.voice?.engine), character?.voice?.engine ?? "");
    fill(this.#field("renderer"), rendererChoices(render, character?.renderer), character?.renderer ?? "");
    this.#renderer();
    this.#voices(character?.voice?.id ?? "");
    this.#portrait.reset(character?.portrait ?? null);
    this.#showSample();
    this.#sample.reset(character?.voice?.sample ?? null);
    this.#asking(false);
    this.#part("existing").hidden = !character;
    this.#part("activate").hidden = !character || character.active;
    this.#error("");
  }

  /** The engines have changed while the dialog may be open: what is chosen stays chosen. */
  engines(roles) {
    this.#roles = roles ?? {};
    if (!this.#dialog.open) return;
    const chosen = this.#field("renderer").value;
    fill(this.#field("renderer"), rendererChoices(this.#roles.render, chosen), chosen);
    this.#renderer();
    this.#showSample();
  }

  #showSample() {
    this.#sample.show(this.#roles, this.#field("language").value);
  }

  #renderer() {
    const { words, licence, missing } = aboutRenderer(this.#roles.render, this.#field("renderer").value);
    this.#part("renderer-words").textContent = [words, licence].filter(Boolean).join(" ");
    this.#part("renderer-missing").textContent = missing;
    this.#part("renderer-missing").hidden = !missing;
  }

  #voices(chosen) {
    const groups = voiceGroups(this.#roles.tts, this.#field("engine").value, this.#field("language").value);
    const select = this.#field("voice");
    fillGroups(select, groups, ({ voices }) => voices);
    select.prepend(choice("", text("editor.voice.default")));
    const offered = groups.some(({ voices }) => voices.some(({ value }) => value === chosen));
    if (chosen && !offered && !groups.length) select.append(choice(chosen, chosen));
    select.value = offered || !groups.length ? chosen : "";
    this.#part("listen").disabled = !this.#roles.tts?.engines?.some(({ ready }) => ready);
  }

  #values() {
    return Object.fromEntries([...new FormData(this.#form)].filter(([, value]) => typeof value === "string"));
  }

  #error(message) {
    this.#part("error").textContent = message;
    this.#part("error").hidden = !message;
  }

  #busy(busy) {
    for (const button of this.#dialog.querySelectorAll("button")) button.disabled = busy;
    this.#part("save").textContent = text(busy ? "editor.saving" : "editor.save");
    this.#dialog.setAttribute("aria-busy", String(busy));
  }

  /** `about` says what a failure is about where it does not say so itself. */
  async #work(action, about = null) {
    this.#error("");
    this.#busy(true);
    try {
      await action();
    } catch (error) {
      if ((error.about ?? about) === "sample") this.#sample.error(error.message);
      else if (PORTRAIT_CODES.has(error.code)) this.#portrait.error(error.message);
      else this.#error(error.message);
    } finally {
      this.#busy(false);
    }
  }

  #save() {
    const values = this.#values();
    if (!values.display_name.trim()) {
      this.#error(text("editor.name.needed"));
      this.#field("display_name").focus();
      return;
    }
    if (!this.#sample.agreed()) return;
    this.#work(async () => {
      const isNew = this.#character === null;
      const fields = fieldsToSend(values, isNew);
      let saved = isNew ? await this.#api.create(fields) : await this.#api.change(this.#character.id, fields);
      saved = await this.#sendFiles(saved, isNew);
      this.emit("saved", saved);
      this.#dialog.close();
    });
  }

  async #sendFiles(saved, isNew) {
    const { file, removed } = this.#sample;
    let about = "portrait";
    try {
      if (this.#portrait.file) await this.#api.putPortrait(saved.id, this.#portrait.file);
      about = "sample";
      if (file) await this.#api.putVoiceSample(saved.id, file);
      else if (removed) await this.#api.removeVoiceSample(saved.id);
    } catch (error) {
      // A new character whose files are refused is taken back, so that nothing half-made stays in the gallery.
      if (isNew) await this.#api.remove(saved.id);
      else this.emit("saved", saved);
      throw Object.assign(error, { about });
    }
    return this.#portrait.file || file || removed ? this.#api.character(saved.id) : saved;
  }

  #asking(asks) {
    this.#part("delete-question").hidden = !asks;
    this.#part("actions").hidden = asks;
    if (!asks) return;
    this.#part("delete-words").textContent = text("editor.delete.ask", { name: nameOf(this.#character) });
    this.#part("keep").focus();
  }

  #delete() {
    this.#work(async () => {
      await this.#api.remove(this.#character.id);
      this.emit("deleted", this.#character);
      this.#dialog.close();
    });
  }

  #activate() {
    this.#work(async () => {
      const character = await this.#api.activate(this.#character.id);
      this.#part("activate").hidden = true;
      this.emit("activated", character);
    });
  }

  #listenToVoice() {
    const { language, voice, engine } = this.#values();
    const trial = this.#sample.trial();
    if (trial && !this.#sample.agreed()) return;
    this.#work(async () => {
      const fields = { text: sampleSentence(language), language };
      if (!trial && voice) fields.voice = voice;
      if (!trial && engine) fields.engine = engine;
      const url = URL.createObjectURL(await (trial ? this.#api.synthesizeAs(trial, fields) : this.#api.synthesize(fields)));
      this.#player.pause();
      this.#player = new Audio(url);
      this.#player.addEventListener("ended", () => URL.revokeObjectURL(url));
      await this.#player.play();
    }, trial && "sample");
  }
}
