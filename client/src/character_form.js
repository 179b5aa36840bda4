// What the character dialog knows without a page: names, choices of voice and renderer, what to send.

import { languageName } from "./languages.js";
import { known, text } from "./strings.js";

const MAX_PICTURE_BYTES = 20 * 2 ** 20; // as the contracts say

/** A short name from what a person is called: "Mona Lisa" -> "mona_lisa"; "" where nothing is left. */
export function shortName(displayName) {
  return displayName
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/ß/g, "ss")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 64);
}

/** What is wrong with a file as a portrait, in words, or null. The server looks closer (faces, size in pixels). */
export function pictureProblem({ type, size }) {
  if (type && !type.startsWith("image/")) return text("editor.portrait.type");
  if (size > MAX_PICTURE_BYTES) return text("editor.portrait.large");
  return null;
}

const engineLabel = ({ name, ready }) => (ready ? name : text("editor.engine.missing", { name }));

/** Engines of a role as choices, an unknown but chosen one included. */
export function engineChoices(role, chosen = "") {
  const engines = role?.engines ?? [];
  const list = [{ value: "", label: text("editor.engine.default") }];
  for (const engine of engines) list.push({ value: engine.name, label: engineLabel(engine) });
  if (chosen && !engines.some(({ name }) => name === chosen)) {
    list.push({ value: chosen, label: text("editor.engine.missing", { name: chosen }) });
  }
  return list;
}

/** A renderer's name for a person; an engine the page has never heard of keeps its own. */
export const rendererName = (name) => (known(`renderer.${name}`) ? text(`renderer.${name}`) : name);

/** Renderers as choices, by the names that people know them by. */
export function rendererChoices(role, chosen = "") {
  const list = engineChoices(role, chosen).map(({ value }) => {
    const ready = (role?.engines ?? []).some((engine) => engine.name === value && engine.ready);
    return { value, label: ready ? rendererName(value) : text("editor.engine.missing", { name: rendererName(value) }) };
  });
  const usual = role?.engine ? text("renderer.automatic", { name: rendererName(role.engine) }) : text("editor.engine.default");
  return [{ value: "", label: usual }, ...list.slice(1)];
}

/**
 * What the chosen renderer is, in plain words.
 * @returns {{words: string, licence: string, missing: string}} `missing` is "" where it is ready, or nothing is known
 */
export function aboutRenderer(role, chosen) {
  const name = chosen || role?.engine || "";
  const engine = (role?.engines ?? []).find((one) => one.name === name);
  const words = known(`renderer.${name}.about`) ? text(`renderer.${name}.about`) : "";
  const licence = engine?.licence || (known(`renderer.${name}.licence`) ? text(`renderer.${name}.licence`) : "");
  return {
    words,
    licence: licence && text("renderer.licence", { licence }),
    missing: role && name && !engine?.ready ? text("renderer.missing") : "",
  };
}

/** The voices of an engine in groups: those of the language first, then the others. */
export function voiceGroups(role, engineName, language) {
  const engine = (role?.engines ?? []).find(({ name }) => name === (engineName || role?.engine));
  const voices = engine?.voices ?? [];
  const base = (code = "") => code.toLowerCase().split(/[-_]/)[0];
  const same = voices.filter((voice) => !voice.language || base(voice.language) === base(language)); // some speak any
  const other = voices.filter((voice) => !same.includes(voice));
  return [
    { label: languageName(base(language)), voices: same.map(({ id }) => ({ value: id, label: id })) },
    {
      label: text("editor.voice.other"),
      voices: other.map((voice) => ({ value: voice.id, label: `${voice.id} · ${languageName(base(voice.language))}` })),
    },
  ].filter((group) => group.voices.length > 0);
}

/** The body for POST or PATCH from the form's values. Empty choices are left out for a new character. */
export function fieldsToSend(values, isNew) {
  const trimmed = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim()]));
  const { name, display_name, description, personality, language, engine, voice, renderer } = trimmed;
  const fields = { name: name || shortName(display_name) || "character", display_name, description, personality, language };
  if (engine || voice || !isNew) fields.voice = { engine, id: voice };
  if (renderer || !isNew) fields.renderer = renderer;
  return fields;
}

/** A sentence to try a voice with, in its language where there is one. */
export function sampleSentence(language) {
  const own = text(`editor.sample.${language}`);
  return own.startsWith("editor.") ? text("editor.sample") : own;
}
