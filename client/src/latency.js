import { element } from "./dom.js";
import { text } from "./strings.js";

/** What happens between a person's last word and the first they hear, in order. */
export const STEPS = ["transcript", "first_token", "first_audio", "first_frame", "heard"];

const MAX_TURNS = 50;
const LONGEST_MS = 60_000; // a step later than this was not measured, but something else

/** The steps of a turn that are known: [{step, at, took}] in the order they happened, ms after the end of speech. Pure. */
export function breakdown(ms) {
  const known = STEPS.filter((step) => Number.isFinite(ms[step]) && ms[step] >= 0 && ms[step] <= LONGEST_MS);
  const steps = known.map((step) => ({ step, at: Math.round(ms[step]) })).sort((one, other) => one.at - other.at);
  return steps.map(({ step, at }, index) => ({ step, at, took: at - (steps[index - 1]?.at ?? 0) }));
}

/**
 * Joins what the gateway measured of a turn with the moment the page heard it. Times of the page are ms on its own
 * clock. Pure.
 */
export class TurnTimes {
  #turns = new Map();
  #began = null; // when the sound that is now heard left the gateway, on our clock
  #heard = null;
  #turn = null;

  /** The portrait begins to speak; `began` is null while the clocks have not been compared. */
  speaks(began) {
    this.#began = began;
    this.#heard = this.#turn = null;
  }

  /** Its first sound is heard. Returns the turn if that completes one: {turn, ms}. */
  hears(at) {
    this.#heard ??= at;
    return this.#turn && this.#join(this.#turn);
  }

  /** The gateway's message `timing`. Returns {turn, ms} with all that is known. */
  take({ turn = "", ms }) {
    this.#turn = turn;
    this.#turns.set(turn, { ...this.#turns.get(turn), ...ms });
    if (this.#turns.size > MAX_TURNS) this.#turns.delete(this.#turns.keys().next().value);
    return this.#join(turn);
  }

  #join(turn) {
    const ms = this.#turns.get(turn);
    const measured = this.#began !== null && this.#heard !== null && Number.isFinite(ms.first_audio);
    if (measured && ms.heard === undefined) ms.heard = ms.first_audio + Math.max(0, this.#heard - this.#began);
    return { turn, ms: { ...ms } };
  }
}

const seconds = (ms) => (ms / 1000).toFixed(2);

/** A turn's bar: one line to read at a glance, and its steps behind it. Null when nothing is known. */
export function latencyBar(ms) {
  const steps = breakdown(ms);
  if (!steps.length) return null;
  const last = steps.at(-1).at;
  const total = ms.heard ?? ms.first_audio ?? last;
  const bar = element("span", { class: "latency-bar", "aria-hidden": "true" });
  for (const { step, took } of steps) {
    const part = element("span", { class: "latency-part", data: { step } });
    part.style.flexGrow = String(Math.max(took, last / 100)); // through the CSSOM, which the policy allows
    bar.append(part);
  }
  const words = text(ms.heard === undefined ? "latency.answered" : "latency.heard", { seconds: seconds(total) });
  const rows = steps.map(({ step, at }) =>
    element(
      "div",
      { class: "latency-row", data: { step } },
      element("dt", {}, text(step === "heard" ? "latency.heard.row" : `latency.${step}`)),
      element("dd", {}, text("latency.at", { seconds: seconds(at) })),
    ),
  );
  return element(
    "details",
    { class: "latency", data: { testid: "latency" } },
    element("summary", { title: text("latency.title") }, bar, element("span", { class: "latency-total" }, words)),
    element("dl", {}, ...rows),
  );
}
