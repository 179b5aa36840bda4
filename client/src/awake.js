// A phone that dims its screen in the middle of a talk would end it.

let lock = null;

/** Keeps the screen on, or no longer. Where the browser refuses (low battery, hidden page), the talk goes on without. */
export async function keepAwake(wanted) {
  if (wanted === Boolean(lock) || !navigator.wakeLock) return;
  try {
    if (wanted) lock = await navigator.wakeLock.request("screen");
    else await lock.release();
  } catch {
    // Refused: nothing to do about it.
  }
  if (!wanted) lock = null;
}
