/** Typed events without the DOM, so that what emits them runs in any JavaScript. */
export class Emitter {
  #listeners = new Map();

  /** Calls `listener(detail)` on each `name`; returns the function that ends it. */
  on(name, listener) {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  }

  emit(name, detail) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(detail);
  }
}
