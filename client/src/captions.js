const AVATAR_LINGERS_MS = 6_000; // after the last word, unless it speaks on
const USER_LINGERS_MS = 4_000;

/** Both parts of a caption as one text: what is settled, and what the recogniser may still take back. Pure. */
export function wholeText({ text = "", tentative = "" }) {
  return tentative && text && !/\s$/.test(text) && !/^\s/.test(tentative) ? `${text} ${tentative}` : text + tentative;
}

/** Writes a caption into `node`, its tentative part in an element of its own. */
export function write(node, caption) {
  const { text = "", tentative = "" } = caption;
  node.replaceChildren(text);
  if (!tentative) return;
  const guess = document.createElement("span");
  guess.className = "tentative";
  guess.textContent = wholeText(caption).slice(text.length);
  node.append(guess);
}

/**
 * The running captions of both sides: what is being said now, gone a while after it was said. Screen readers are told
 * each utterance once, when it is settled.
 */
export class CaptionsView {
  #nodes;
  #aloud;
  #timers = { user: null, avatar: null };
  #speaking = false;

  /** @param {{user, avatar, aloud}} nodes `aloud` is a live region that is not seen */
  constructor({ user, avatar, aloud }) {
    this.#nodes = { user, avatar };
    this.#aloud = aloud;
  }

  take(caption) {
    const { role, final = false, language = "" } = caption;
    const node = this.#nodes[role];
    write(node.firstElementChild, caption);
    node.lang = language || "";
    node.dataset.final = String(final);
    node.classList.toggle("shown", wholeText(caption).trim() !== "");
    if (final) {
      this.#aloud.lang = language || "";
      this.#aloud.textContent = caption.text;
    }
    this.#linger(role, final);
  }

  /** While the portrait speaks, its caption stays. */
  state(state) {
    const spoke = this.#speaking;
    this.#speaking = state === "speaking";
    if (spoke && !this.#speaking) this.#linger("avatar", true);
    if (state === "listening") this.#linger("avatar", true);
  }

  clear() {
    for (const role of ["user", "avatar"]) this.#hide(role);
  }

  #linger(role, ends) {
    clearTimeout(this.#timers[role]);
    if (!ends || (role === "avatar" && this.#speaking)) return;
    this.#timers[role] = setTimeout(() => this.#hide(role), role === "avatar" ? AVATAR_LINGERS_MS : USER_LINGERS_MS);
  }

  #hide(role) {
    clearTimeout(this.#timers[role]);
    this.#nodes[role].classList.remove("shown");
  }
}
