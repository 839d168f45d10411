// Reads text/event-stream (WHATWG HTML, section 9.2.6) out of pieces cut anywhere. No I/O.

/** More than any message the server lets through; a stream that never ends its line must not fill the memory. */
export const EVENT_LENGTH_MAX = 16 * 1024 * 1024;

export class EventStreamReader {
  #rest = ''; // of a line whose end has not come
  #begun = false;
  #endedByCr = false; // a LF that comes next belongs to the line before
  #event = '';
  #data = [];
  #length = 0;
  /** What the stream's last `retry` field said, in ms; undefined if there was none. */
  retryMs;

  /**
   * @param {string} text the next piece
   * @returns {{event: string, data: string}[]} the events that are complete with it
   * @throws {RangeError} one event is longer than EVENT_LENGTH_MAX
   */
  push(text) {
    const events = [];
    if (text === '') return events;
    let start = 0;
    if (this.#endedByCr && text[0] === '\n') start = 1;
    if (!this.#begun && text[0] === '\uFEFF') start = 1;
    this.#begun = true;
    this.#endedByCr = text.endsWith('\r');
    // Only the new piece is searched: an event may come in thousands of them.
    const ends = /\r\n|\n|\r/g;
    ends.lastIndex = start;
    for (let end = ends.exec(text); end; end = ends.exec(text)) {
      this.#line(this.#rest + text.slice(start, end.index), events);
      this.#rest = '';
      start = ends.lastIndex;
    }
    this.#rest += text.slice(start);
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
    if (field === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
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
