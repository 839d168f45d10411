// Who listens to what.

export class Listeners {
  #byEvent = new Map();

  /** @returns {() => void} takes the listener away again */
  on(event, listener) {
    if (typeof listener !== 'function') throw new TypeError(`The listener for ${event} is not a function.`);
    const listeners = this.#byEvent.get(event) ?? new Set();
    this.#byEvent.set(event, listeners.add(listener));
    return () => this.off(event, listener);
  }

  off(event, listener) {
    this.#byEvent.get(event)?.delete(listener);
  }

  /** Tells everybody; a listener that throws is reported like any uncaught error, and the others hear all the same. */
  emit(event, detail) {
    const listeners = [...(this.#byEvent.get(event) ?? [])];
    for (const listener of listeners) {
      try {
        listener(detail);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    if (event === 'error' && listeners.length === 0) console.error('roomcast:', detail.message);
  }

  clear() {
    this.#byEvent.clear();
  }
}
