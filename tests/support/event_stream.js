// Parsers of room responses over HTTP. Stream parsers accept text split anywhere, and check what they read.

import assert from 'node:assert/strict';

/** Splits chunks of text into whole lines (ended by LF). */
export class LineReader {
  #rest = [];

  constructor(onLine) {
    this.onLine = onLine;
  }

  feed(text) {
    const lines = text.split('\n');
    this.#rest.push(lines[0]);
    if (lines.length === 1) return;
    lines[0] = this.#rest.join('');
    this.#rest = [lines.pop()];
    for (const line of lines) this.onLine(line);
  }

  /** The text after the last whole line. */
  get rest() {
    return this.#rest.join('');
  }
}

/**
 * The event stream format (WHATWG HTML, section 9.2.6), stricter than a browser: an unknown field, a CR, an event
 * without data, and a stream that does not begin with a retry time are errors.
 */
export class EventStreamReader extends LineReader {
  #data = [];
  #event = '';
  #id = '';
  #first = true;

  /** `onEvent({event, id, data})`, `onComment(text)`. */
  constructor({ onEvent, onComment = () => {} }) {
    super((line) => this.#line(line));
    this.onEvent = onEvent;
    this.onComment = onComment;
  }

  #line(line) {
    assert.ok(!line.includes('\r'), `CR in ${JSON.stringify(line.slice(0, 100))}`);
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return this.onComment(line.slice(1));
    const [, field, value] = /^([a-z]+): ?(.*)$/s.exec(line) ?? assert.fail(`no field: ${JSON.stringify(line.slice(0, 100))}`);
    if (this.#first) assert.equal(field, 'retry', 'the stream begins with its retry time');
    this.#first = false;
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id') this.#id = value;
    else if (field === 'retry') this.retry_ms = Number(/^[0-9]+$/.exec(value)[0]);
    else assert.fail(`unknown field ${field}`);
    return undefined;
  }

  #dispatch() {
    if (this.#data.length > 0) this.onEvent({ event: this.#event || 'message', id: this.#id, data: this.#data.join('\n') });
    else assert.equal(this.#event, '', 'an event without data is never dispatched');
    this.#data = [];
    this.#event = '';
    // The last id is kept, as in a browser.
  }
}

/** The objects of the array `member` (the last one) of the JSON object `text`, verbatim. */
export function objectsIn(text, member) {
  const found = [];
  let depth = 0;
  let begin = 0;
  const start = text.indexOf(`"${member}":[`) + member.length + 4;
  for (const token of text.slice(start).matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    const at = start + token.index;
    if (token[0] === '{' || token[0] === '[') {
      if (depth === 0) begin = at;
      depth += 1;
    } else if (token[0] === '}' || token[0] === ']') {
      depth -= 1;
      if (depth === 0) found.push(text.slice(begin, at + 1));
      if (depth < 0) break;
    }
  }
  return found;
}
