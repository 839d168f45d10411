// Many clients in one process, at minimal cost each: every one counts its messages and checks their order.

import net from 'node:net';
import tls from 'node:tls';
import { parseTarget } from './byte_socket.js';
import { CLOSE, PING, PONG } from './ws_frames.js';

const smallest = 20;

/** A payload that these clients can check: the message `number` of its room in `size` bytes (at least 20). */
export function numbered(number, size = smallest) {
  const digits = String(number).padStart(8, '0');
  return `#${digits}#${'x'.repeat(size - smallest)}$${digits}$`;
}

/** Counts numbered messages in WebSocket frames without keeping their payloads. */
class FrameReader {
  #rest = Buffer.alloc(0);
  #skip = 0;

  constructor(member, size) {
    this.member = member;
    this.size = size;
  }

  feed(chunk) {
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    let bytes = chunk.subarray(skipped);
    if (this.#rest.length > 0) bytes = Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (let taken = 1; taken > 0; at += taken) taken = this.#frame(bytes, at);
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : Buffer.alloc(0);
  }

  /** Consumes one frame, or its beginning if the rest may be skipped. Returns the bytes consumed, 0 if more are needed. */
  #frame(bytes, at) {
    const left = bytes.length - at;
    if (left < 2) return 0;
    const short = bytes[at + 1];
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (left < head) return 0;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const needed = head + Math.min(length, 125);
    if (left < needed) return 0;
    const opcode = bytes[at] & 15;
    const payload = bytes.subarray(at + head, at + needed);
    if (opcode === PING) this.member.socket.write(unmaskedReply(PONG, payload));
    else if (opcode === CLOSE) this.#close(payload);
    else if (length === this.size) this.member.take(numberIn(payload));
    else this.member.fail(`a message of ${length} bytes`);
    const whole = head + length;
    this.#skip = Math.max(0, whole - left);
    return Math.min(whole, left);
  }

  #close(payload) {
    this.member.closeCode = payload.readUInt16BE();
    this.member.socket.write(unmaskedReply(CLOSE, payload));
  }
}

/** A client's frame with an all-zero mask. */
const unmaskedReply = (opcode, payload) => Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);

/** The number in the mark that begins `payload`. */
function numberIn(payload) {
  let number = 0;
  for (let i = 1; i < 9; i += 1) number = number * 10 + payload[i] - 48;
  return payload[0] === payload[9] ? number : NaN;
}

const mark_bytes = 10;

/** Counts numbered messages in an endless response, by the marks at both ends of each payload. */
class StreamReader {
  #rest = Buffer.alloc(0);
  #between = ''; // the last text outside of payloads
  #begun = null;

  constructor(member) {
    this.member = member;
  }

  feed(chunk) {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    for (;;) {
      const mark = bytes.indexOf(this.#begun === null ? '#' : '$', at);
      const end = mark < 0 ? bytes.length : mark;
      if (this.#begun === null) this.#outside(bytes.latin1Slice(at, end));
      if (end + mark_bytes > bytes.length) {
        this.#rest = Buffer.from(bytes.subarray(end));
        return;
      }
      this.#mark(numberIn(bytes.subarray(mark, mark + mark_bytes)));
      at = mark + mark_bytes;
    }
  }

  #mark(number) {
    if (this.#begun === null) {
      this.#begun = number;
      return;
    }
    if (number === this.#begun) this.member.take(number);
    else this.member.fail(`the end of ${number} in ${this.#begun}`);
    this.#begun = null;
  }

  /** Looks for the server's bye outside of payloads. */
  #outside(text) {
    this.#between = (this.#between + text).slice(-200);
    const bye = /bye.*"code":(\d{4})/s.exec(this.#between);
    if (bye) this.member.closeCode = Number(bye[1]);
  }
}

const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const kinds = {
  websocket: { fields: upgrade, status: 101, reader: (member, size) => new FrameReader(member, size) },
  sse: { fields: 'Accept: text/event-stream\r\n', status: 200, reader: (member) => new StreamReader(member) },
  ndjson: { fields: 'Accept: application/x-ndjson\r\n', status: 200, reader: (member) => new StreamReader(member) },
};

/** One client. `state`: connecting, asking, open, refused, failed, ended. */
class Client {
  state = 'connecting';
  last = 0;
  fault = null;
  closeCode = null;
  #head = '';

  constructor(group) {
    this.group = group;
    const { target, options } = group;
    const connect = { ...target.connect, localAddress: options.localAddress };
    this.socket = target.secure ? tls.connect({ ...connect, rejectUnauthorized: false }) : net.connect(connect);
    this.socket.once(target.secure ? 'secureConnect' : 'connect', () => this.#onConnect());
    this.socket.on('data', (chunk) => this.#onData(chunk));
    this.socket.on('error', (error) => (this.error = error.code));
    this.socket.on('close', () => this.#onClose());
  }

  /** A whole message has arrived. */
  take(number) {
    const expected = this.last === 0 ? this.group.options.first ?? number : this.last + 1;
    if (number !== expected) this.fail(`${number} where ${expected} was due`);
    this.last = number;
    if (number === this.group.target_number) this.group.arrived += 1;
    this.group.changed();
  }

  fail(why) {
    this.fault ??= why;
    this.group.faults += 1;
    this.group.changed();
  }

  #become(state) {
    this.group.count[this.state] -= 1;
    this.group.count[state] += 1;
    this.state = state;
    this.group.changed();
  }

  #onConnect() {
    this.socket.setNoDelay(true);
    this.socket.write(this.group.request);
    this.#become('asking');
  }

  #onData(chunk) {
    if (this.state === 'open') return this.reader.feed(chunk);
    this.#head += chunk.latin1Slice();
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0 || this.state !== 'asking') return;
    const { kind, options } = this.group;
    this.status = Number(this.#head.slice(9, 12));
    if (this.status !== kind.status) return this.#become('refused');
    this.reader = kind.reader(this, options.size);
    this.#become('open');
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    this.#head = '';
    if (rest.length > 0) this.reader.feed(rest);
  }

  #onClose() {
    if (this.state === 'refused') return;
    if (this.state === 'open') return this.#become('ended');
    const { options } = this.group;
    this.#become('failed');
    this.group.errors[this.error ?? 'closed'] = (this.group.errors[this.error ?? 'closed'] ?? 0) + 1;
    if (options.persistent && !this.given_up) setTimeout(() => this.group.replace(this), 20);
  }
}

class Group {
  members = [];
  count = { connecting: 0, asking: 0, open: 0, refused: 0, failed: 0, ended: 0 };
  errors = {};
  faults = 0;
  arrived = 0;
  target_number = 0;
  #waiting = [];

  constructor(url, options) {
    this.options = { first: 1, ...options };
    this.target = parseTarget(url);
    this.kind = kinds[options.kind ?? 'websocket'];
    this.request = `GET ${options.path} HTTP/1.1\r\nHost: ${this.target.host}\r\n${this.kind.fields}\r\n`;
  }

  add() {
    this.count.connecting += 1;
    this.members.push(new Client(this));
  }

  replace(failed) {
    if (failed.given_up) return;
    this.count.failed -= 1;
    this.members.splice(this.members.indexOf(failed), 1);
    this.add();
  }

  /** Checks the pending conditions, once for all events of one turn. */
  changed() {
    if (this.looking || this.#waiting.length === 0) return;
    this.looking = true;
    setImmediate(() => {
      this.looking = false;
      for (const look of this.#waiting.splice(0)) look();
    });
  }

  until(condition, what) {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.faults > 0) reject(new Error(`${what}: ${JSON.stringify(this.tally())}`));
        else if (condition()) resolve(this.tally());
        else this.#waiting.push(look);
      };
      look();
    });
  }

  tally() {
    const numbers = this.members.map(({ last }) => last);
    const closes = {};
    for (const { closeCode, state } of this.members) if (state === 'ended') closes[closeCode] = (closes[closeCode] ?? 0) + 1;
    const statuses = {};
    for (const { state, status } of this.members) if (state === 'refused') statuses[status] = (statuses[status] ?? 0) + 1;
    return {
      ...this.count,
      size: this.members.length,
      least: numbers.reduce((a, b) => Math.min(a, b), Infinity),
      most: numbers.reduce((a, b) => Math.max(a, b), 0),
      faults: this.members.filter(({ fault }) => fault).slice(0, 3).map(({ fault }) => fault),
      closes,
      statuses,
      errors: { ...this.errors },
    };
  }
}

/** Groups of clients, by name. Methods that return a promise resolve with the group's tally. */
export class ManyClients {
  #groups = new Map();

  #group(name) {
    const group = this.#groups.get(name);
    if (!group) throw new Error(`no group ${name}`);
    return group;
  }

  /**
   * Starts `count` connections at once. `options`: `path`, `kind` (websocket, sse, ndjson), `size` of each message,
   * `first` expected number (1; null for any), `localAddress`, `persistent` (reconnect after a failed connect). The options
   * of the group's first call apply.
   */
  begin(name, url, count, options) {
    if (!this.#groups.has(name)) this.#groups.set(name, new Group(url, options));
    const group = this.#group(name);
    for (let i = 0; i < count; i += 1) group.add();
  }

  /** As `begin`, a few hundred at a time, until all have been accepted. */
  async open(name, url, count, options) {
    const at_once = 250;
    for (let done = 0; done < count; done += at_once) {
      this.begin(name, url, Math.min(at_once, count - done), options);
      await this.settled(name);
    }
    return this.opened(name, count);
  }

  /** Waits until every connection is established, answered or not. */
  connected(name) {
    const group = this.#group(name);
    return group.until(() => group.count.connecting === 0, 'connected');
  }

  /** Waits until every client has been accepted, refused, or has failed. */
  settled(name) {
    const group = this.#group(name);
    return group.until(() => group.count.connecting === 0 && group.count.asking === 0, 'answered');
  }

  /** Waits until at most `count` clients are without a response. */
  asking(name, count) {
    const group = this.#group(name);
    return group.until(() => group.count.asking <= count, `${count} waiting`);
  }

  /** Waits until at least `count` are open. */
  opened(name, count) {
    const group = this.#group(name);
    return group.until(() => group.count.open >= count, `${count} let in`);
  }

  /** Waits until every client of the group has received the message `number`; one that ends before is an error. */
  async reach(name, number) {
    const group = this.#group(name);
    group.target_number = number;
    group.arrived = group.members.filter(({ last }) => last >= number).length;
    const all = () => group.arrived === group.members.length;
    const tally = await group.until(() => all() || group.count.open < group.members.length, `message ${number}`);
    if (!all()) throw new Error(`ended before message ${number}: ${JSON.stringify(tally)}`);
    return tally;
  }

  /** Waits until none is open. */
  ended(name) {
    const group = this.#group(name);
    return group.until(() => group.count.open === 0, 'the end');
  }

  tally(name) {
    return this.#group(name).tally();
  }

  pause(name) {
    for (const { socket } of this.#group(name).members) socket.pause();
  }

  resume(name) {
    for (const { socket } of this.#group(name).members) socket.resume();
  }

  /** Resumes reading, and waits until the server has closed every connection. */
  readToEnd(name) {
    this.resume(name);
    return this.ended(name);
  }

  /** Cuts `count` of the open connections, or all connections. */
  cut(name, count = Infinity) {
    const group = this.#group(name);
    const left = group.members.filter(({ state, given_up }) => count === Infinity || (state === 'open' && !given_up));
    for (const member of left.slice(0, count)) {
      member.given_up = true;
      member.socket.destroy();
    }
  }

  /** Cuts and removes all clients. */
  clear() {
    for (const name of this.#groups.keys()) this.cut(name);
    this.#groups.clear();
  }
}
