const AVATAR_LINGERS_MS = 6_000; // after the last word, unless it speaks on
const USER_LINGERS_MS = 4_000;

/** The running captions of both sides: what is being said now, gone a while after it was said. */
export class CaptionsView {
  #nodes;
  #timers = { user: null, avatar: null };
  #speaking = false;

  constructor({ user, avatar }) {
    this.#nodes = { user, avatar };
  }

  take({ role, text: words, final = false, language = "" }) {
    const node = this.#nodes[role];
    node.textContent = words;
    node.lang = language || "";
    node.dataset.final = String(final);
    node.classList.toggle("shown", words.trim() !== "");
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
