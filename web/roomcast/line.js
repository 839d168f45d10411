// The life of one HTTP request: it ends when we end it, or after a silence.

import { RoomcastError } from './errors.js';

export class Line {
  #controller = new AbortController();
  #timer = null;
  /** When the other side was last heard, as performance.now() counts. */
  heardAt = performance.now();

  /** For fetch. Its reason is a RoomcastError `silence` if the deadline ended it. */
  get signal() {
    return this.#controller.signal;
  }

  get ended() {
    return this.#controller.signal.aborted;
  }

  /** Something was heard; the next sign of life must come within `ms`. */
  expect(ms) {
    this.heardAt = performance.now();
    clearTimeout(this.#timer);
    if (this.ended) return;
    const silence = new RoomcastError('silence', 'Nothing comes back from the server.');
    this.#timer = setTimeout(() => this.#controller.abort(silence), ms);
  }

  end() {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  /** Waits, but not longer than the line lives. */
  async pause(ms) {
    clearTimeout(this.#timer);
    let goOn;
    await new Promise((resolve) => {
      goOn = resolve;
      this.#timer = setTimeout(goOn, ms);
      this.signal.addEventListener('abort', goOn);
    });
    this.signal.removeEventListener('abort', goOn);
  }
}
