import { element, icon } from "./dom.js";
import { Fold } from "./fold.js";
import { text } from "./strings.js";

/** The roles a talk needs, in the order of the data; `voice` joins them where an engine that clones is ready. */
const ROLES = ["vad", "stt", "tts", "landmarks", "motion", "render"];

/**
 * One badge for each role.
 * @param {Record<string, object>|null} roles as GET /api/engines tells, or null while nothing is known
 * @returns {{role: string, label: string, ready: boolean|null, engine: string, licence: string, title: string,
 *   others: object[]}[]} `others`: engines of the role that characters may choose
 */
export function badges(roles) {
  const shown = roles?.voice?.engines?.some(({ ready }) => ready) ? [...ROLES, "voice"] : ROLES;
  return shown.map((role) => {
    const { engine = "", ready = false, engines = [] } = roles?.[role] ?? {};
    const licence = engines?.find(({ name }) => name === engine)?.licence ?? "";
    const others = (engines ?? []).filter((one) => one.ready && one.name !== engine);
    const known = roles === null ? null : Boolean(engine && ready);
    const state = text(known === null ? "status.unknown" : known ? "status.ready" : "status.missing");
    const parts = [`${text(`role.${role}`)}: ${state}`, engine, licence && text("status.licence", { licence })];
    const title = parts.filter(Boolean).join(" · ");
    return { role, label: text(`role.${role}`), ready: known, engine: engine ?? "", licence, title, others };
  });
}

/** One sentence for each role that a talk now misses: what to do instead. */
export function missingSentences(roles) {
  return badges(roles)
    .filter(({ role, ready }) => ready === false && role !== "voice")
    .map(({ role }) => text(`missing.${role}`));
}

/** The badges in the head of the page and the sheet behind them that names engines and licences. */
export class StatusView {
  #button;
  #sheet;
  #summary;
  #nodes = new Map();

  constructor(button, sheet) {
    this.#button = button;
    this.#sheet = sheet;
    this.#summary = element("span", { class: "visually-hidden" });
    button.append(this.#summary);
    new Fold(button, sheet);
    this.show(null);
  }

  show(roles) {
    const list = badges(roles);
    for (const [role, node] of this.#nodes) {
      if (list.some((badge) => badge.role === role)) continue;
      node.remove();
      this.#nodes.delete(role);
    }
    for (const badge of list) this.#badge(badge);
    this.#summary.textContent = text(list.every(({ ready }) => ready) ? "status.all" : "status.some");
    this.#sheet.replaceChildren(...list.map(row));
  }

  #badge({ role, label, ready, title }) {
    let node = this.#nodes.get(role);
    if (!node) {
      node = element(
        "span",
        { class: "badge", data: { testid: `status-${role}`, role } },
        element("span", { class: "badge-dot" }),
        element("span", { class: "badge-label" }, label),
      );
      this.#nodes.set(role, node);
      this.#button.append(node);
    }
    node.dataset.ready = ready === null ? "unknown" : String(ready);
    node.title = title;
  }
}

function row({ role, label, ready, engine, licence, others }) {
  const state = ready === null ? "unknown" : ready ? "ready" : "missing";
  return element(
    "li",
    { class: "engine", data: { ready: ready === null ? "unknown" : String(ready) } },
    icon(ready ? "check" : "dash"),
    element("strong", {}, label),
    element("span", { class: "engine-what" }, text(`role.${role}.what`)),
    element("span", { class: "engine-name" }, [engine || text(`status.${state}`), licence].filter(Boolean).join(" · ")),
    ...others.map((other) => element("span", { class: "engine-name" }, [other.name, other.licence].filter(Boolean).join(" · "))),
  );
}
