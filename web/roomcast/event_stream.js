// Reads text/event-stream (WHATWG HTML, section 9.2.6) out of pieces cut anywhere. No I/O.

/** More than any message the server lets through; a stream that never ends its line must not fill the memory. */
export const EVENT_LENGTH_MAX = 16 * 1024 * 1024;

export class EventStreamReader {
  #rest = '';
  #begun = false;
  #event = '';
  #data = [];
  #length = 0;

  /**
   * @param {string} text the next piece
   * @returns {{event: string, data: string}[]} the events that are complete with it
   * @throws {RangeError} one event is longer than EVENT_LENGTH_MAX
   */
  push(text) {
    let input = this.#rest + text;
    if (!this.#begun && input !== '') {
      this.#begun = true;
      if (input.startsWith('\uFEFF')) input = input.slice(1);
    }
    const events = [];
    let start = 0;
    // A CR at the end may be half of a CR LF: it waits for what follows.
    for (const { index, 0: end } of input.matchAll(/\r\n|\n|\r(?!$)/g)) {
      this.#line(input.slice(start, index), events);
      start = index + end.length;
    }
    this.#rest = input.slice(start);
    if (this.#length + this.#rest.length > EVENT_LENGTH_MAX) throw new RangeError('an event of the stream is too long');
    return events;
  }

  #line(line, events) {
    if (line === '') return this.#dispatch(events);
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#event = value;
    if (field === 'data') {
      this.#data.push(value);
      this.#length += value.length;
    }
  }

  #dispatch(events) {
    if (this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n') });
    this.#event = '';
    this.#data = [];
    this.#length = 0;
  }
}
