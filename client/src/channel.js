// The messages of the data channel (gateway/PROTOCOL.md): made, checked, and kept until the channel is open.

export const STATES = ["idle", "listening", "thinking", "speaking"];
export const EMOTIONS = ["neutral", "happy", "sad", "surprised", "angry", "disgusted", "fearful"];
export const MAX_TEXT = 5000; // characters, as the contracts say
const MAX_WAITING = 20; // texts kept while there is no connection; the oldest go first

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value) => typeof value === "string";

const VALID = {
  state: (m) => STATES.includes(m.state),
  caption: (m) => (m.role === "user" || m.role === "avatar") && isText(m.id) && isText(m.text) && isText(m.tentative ?? ""),
  hold: (m) => typeof m.on === "boolean",
  emotion: (m) => EMOTIONS.includes(m.emotion),
  character: (m) => isObject(m.character) && isText(m.character.id),
  picture: (m) => typeof m.moving === "boolean",
  engines: (m) => isObject(m.roles),
  dialogue: (m) => m.kind === "echo" || m.kind === "chat",
  timing: (m) => isObject(m.ms),
  pong: (m) => Number.isFinite(m.at) && Number.isFinite(m.now),
  notice: (m) => isText(m.message),
};

/** The message in `data`, or null when it is not one this page knows: a newer gateway may say more. */
export function parseMessage(data) {
  if (!isText(data)) return null;
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    return null;
  }
  return isObject(message) && Object.hasOwn(VALID, message.type) && VALID[message.type](message) ? message : null;
}

const clamp01 = (value) => Math.min(1, Math.max(0, Number.isFinite(value) ? value : 0));

export const say = {
  text: (text, mode = "chat") => ({ type: "text", text: text.trim().slice(0, MAX_TEXT), mode }),
  emotion: (emotion, intensity) => ({ type: "emotion", emotion, intensity: clamp01(intensity) }),
  character: (id) => ({ type: "character", id }),
  language: (language) => ({ type: "language", language }),
  mic: (on) => ({ type: "mic", on }),
  interrupt: () => ({ type: "interrupt" }),
  ping: (at) => ({ type: "ping", at }),
};

/** What holds until changed, and so is told again to every new connection. (The character travels in the offer.) */
const HOLDS = new Set(["emotion", "language", "mic"]);

/** Sends over the present data channel; across reconnects it repeats what holds and delivers texts that waited. */
export class Outbox {
  #send = null;
  #held = new Map();
  #waiting = [];

  /** A channel opened: `send(string)` delivers from now on. */
  open(send) {
    this.#send = send;
    for (const message of this.#held.values()) this.#deliver(message);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.#deliver(message);
  }

  close() {
    this.#send = null;
  }

  /** Forgets texts that wait; what holds stays. */
  forget() {
    this.#waiting = [];
  }

  post(message) {
    if (HOLDS.has(message.type)) this.#held.set(message.type, message);
    if (this.#send) this.#deliver(message);
    else if (message.type === "text") this.#waiting = [...this.#waiting, message].slice(-MAX_WAITING);
  }

  #deliver(message) {
    this.#send(JSON.stringify(message));
  }
}
