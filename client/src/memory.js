// What the page remembers from visit to visit. Private windows may forbid it; then nothing is remembered.

export function remember(key, value) {
  try {
    localStorage.setItem(`antlitz.${key}`, value);
  } catch {
    // Forbidden.
  }
}

/** The value, or null. */
export function remembered(key) {
  try {
    return localStorage.getItem(`antlitz.${key}`);
  } catch {
    return null;
  }
}
