import { wholeText, write } from "./captions.js";
import { element } from "./dom.js";
import { latencyBar } from "./latency.js";
import { text } from "./strings.js";

const MAX_UTTERANCES = 400; // the oldest go first

/**
 * The whole conversation: utterances by id, each replaced by its newer text, in the order they began.
 * Pure; the view below draws it.
 */
export class Conversation {
  utterances = [];

  /**
   * Takes one caption message in.
   * @returns {{utterance: object, added: boolean, dropped: object[]}|null} null for one that says nothing yet
   */
  take({ role, id, text: words, tentative = "", final = false, language = "" }) {
    const key = `${role}:${id}`;
    const known = this.utterances.find((utterance) => utterance.key === key);
    if (known) {
      Object.assign(known, { text: words, tentative, final, language: language || known.language });
      return { utterance: known, added: false, dropped: [] };
    }
    if (!wholeText({ text: words, tentative }).trim()) return null;
    const utterance = { key, role, id, text: words, tentative, final, language };
    this.utterances.push(utterance);
    const dropped = this.utterances.splice(0, Math.max(0, this.utterances.length - MAX_UTTERANCES));
    return { utterance, added: true, dropped };
  }

  clear() {
    this.utterances = [];
  }
}

/** Draws a Conversation into a list, one child an utterance, and keeps its end in view while the reader is there. */
export class TranscriptView {
  #list;
  #hint;
  #count;
  #conversation = new Conversation();
  #nodes = new Map();
  #times = new Map(); // by utterance
  #speaker;

  /** @param {() => string} speaker the name of the character that speaks now */
  constructor({ list, hint, count }, speaker) {
    this.#list = list;
    this.#hint = hint;
    this.#count = count;
    this.#speaker = speaker;
  }

  take(caption) {
    const change = this.#conversation.take(caption);
    if (!change) return;
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 48;
    const { utterance, added, dropped } = change;
    if (added) this.#add(utterance);
    const node = this.#nodes.get(utterance.key);
    write(node.querySelector(".utterance-text"), utterance);
    node.dataset.final = String(utterance.final);
    if (utterance.language) node.lang = utterance.language;
    node.hidden = wholeText(utterance).trim() === "";
    for (const { key } of dropped) {
      this.#nodes.get(key)?.remove();
      this.#nodes.delete(key);
    }
    this.#hint.hidden = true;
    this.#count.textContent = String(this.#nodes.size);
    this.#drawTime(utterance.key);
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** How long the answer of a turn took: {turn, ms}. Its caption has the turn's id with an "a" behind it. */
  timing({ turn, ms }) {
    const key = `avatar:${turn}a`;
    this.#times.set(key, ms);
    if (this.#times.size > MAX_UTTERANCES) this.#times.delete(this.#times.keys().next().value);
    this.#drawTime(key);
  }

  #drawTime(key) {
    const [node, ms] = [this.#nodes.get(key), this.#times.get(key)];
    const bar = node && ms && latencyBar(ms);
    if (!bar || node.dataset.times === JSON.stringify(ms)) return;
    node.dataset.times = JSON.stringify(ms);
    const old = node.querySelector(".latency");
    if (old) {
      bar.open = old.open;
      old.replaceWith(bar);
    } else node.append(bar);
  }

  #add({ key, role }) {
    const who = role === "user" ? text("you") : this.#speaker() || text("avatar");
    const node = element(
      "li",
      { class: "utterance", data: { role } },
      element("span", { class: "utterance-who" }, who),
      element("p", { class: "utterance-text", dir: "auto" }),
    );
    this.#nodes.set(key, node);
    this.#list.append(node);
  }
}
