// What the page knows of cloned voices without a page: is there an engine, what is its licence, what to tell.

import { languageName } from "./languages.js";
import { known, text } from "./strings.js";

const nameOf = (engine) => engine.slice(engine.indexOf("_") + 1);
const titleOf = (engine) => (known(`cloning.${nameOf(engine)}`) ? text(`cloning.${nameOf(engine)}`) : nameOf(engine));

/**
 * Whether a recording can become the voice of a character of this language.
 * @param {Record<string, object>|null} roles as GET /api/engines tells
 * @returns {{ready: boolean, engine: string, licence: string, missing: string}} `missing` is "" where all is well
 */
export function cloning(roles, language = "") {
  const makers = roles?.voice?.engines ?? [];
  const speakers = roles?.tts?.engines ?? [];
  const pairs = makers.map((maker) => ({ maker, speaker: speakers.find(({ name }) => nameOf(name) === nameOf(maker.name)) }));
  const usual = roles?.voice?.engine;
  pairs.sort((a, b) => Number(b.maker.name === usual) - Number(a.maker.name === usual));
  const able = pairs.filter(({ maker, speaker }) => maker.ready && speaker?.ready);
  const base = language.toLowerCase().split(/[-_]/)[0];
  const speaks = ({ speaker }) => !base || !speaker.languages?.length || speaker.languages.some((code) => code.split(/[-_]/)[0] === base);
  const pair = able.find(speaks) ?? able[0] ?? pairs[0];
  const engine = pair?.speaker?.name ?? pair?.maker.name ?? "";
  const licence = pair?.maker.licence || pair?.speaker?.licence || "";
  let missing = "";
  if (!able.length) missing = text("cloning.missing");
  else if (!able.some(speaks)) missing = text("cloning.language", { language: languageName(base) });
  return { ready: !missing, engine, licence: licence && text("cloning.licence", { engine: titleOf(engine), licence }), missing };
}
