import { element, icon } from "./dom.js";
import { text } from "./strings.js";

const LINGERS_MS = { info: 5_000, warning: 12_000, error: 0 }; // 0: until dismissed
const MOST = 3;

/**
 * The notices to show, newest last: one for each code, at most three, where the oldest that is not an error goes first.
 * Pure.
 */
export function withNotice(notices, notice) {
  const list = [...notices.filter(({ code }) => code !== notice.code), notice];
  while (list.length > MOST) {
    const lesser = list.slice(0, -1).findIndex(({ level }) => level !== "error");
    list.splice(Math.max(0, lesser), 1);
  }
  return list;
}

/** Toasts with plain words. Errors are read out at once, the rest when there is a pause. */
export class Notices {
  #host;
  #list = [];
  #nodes = new Map();
  #timers = new Map();

  constructor(host) {
    this.#host = host;
  }

  /**
   * @param {{code: string, message: string, level?: "info"|"warning"|"error", stays?: boolean,
   *          action?: {label: string, run: () => void}}} notice
   */
  show({ code, message, level = "info", stays = false, action = null }) {
    const known = this.#nodes.get(code);
    this.#list = withNotice(this.#list, { code, level });
    if (known && known.dataset.level === level && !action === !known.querySelector(".notice-action")) {
      known.querySelector(".notice-text").textContent = message;
    } else {
      known?.remove();
      const node = this.#build({ code, message, level, action });
      this.#nodes.set(code, node);
      this.#host.append(node);
    }
    for (const other of [...this.#nodes.keys()]) if (!this.#list.some((entry) => entry.code === other)) this.drop(other);
    clearTimeout(this.#timers.get(code));
    const lingers = LINGERS_MS[level] ?? LINGERS_MS.info;
    if (!stays && lingers) this.#timers.set(code, setTimeout(() => this.drop(code), lingers));
  }

  drop(code) {
    clearTimeout(this.#timers.get(code));
    this.#timers.delete(code);
    this.#nodes.get(code)?.remove();
    this.#nodes.delete(code);
    this.#list = this.#list.filter((notice) => notice.code !== code);
  }

  #build({ code, message, level, action }) {
    const run = () => {
      this.drop(code);
      action.run();
    };
    return element(
      "div",
      { class: "notice", role: level === "error" ? "alert" : "status", data: { testid: "notice", code, level } },
      icon(level === "info" ? "info" : "warning"),
      element("p", { class: "notice-text" }, message),
      action && element("button", { type: "button", class: "notice-action", on: { click: run } }, action.label),
      element(
        "button",
        { type: "button", class: "icon-button notice-close", "aria-label": text("notice.dismiss"), on: { click: () => this.drop(code) } },
        icon("close"),
      ),
    );
  }
}
