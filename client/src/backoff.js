const FIRST_SECONDS = 1;
const LONGEST_SECONDS = 10;

/** Seconds to wait before the `attempt`-th retry (0 is the first): 1, 2, 4, 8, 10, 10, … with `longest` as the bound. */
export function backoff(attempt, longest = LONGEST_SECONDS) {
  return Math.min(longest, FIRST_SECONDS * 2 ** Math.min(attempt, 10));
}
