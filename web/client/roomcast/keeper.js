// Keeps one link up: comes back after cuts, steps down to the next transport where a network blocks one, and climbs again.
//
//   idle ──wanted──▶ connecting ──▶ live ──down──▶ waiting ──timer, wake──▶ connecting
//                        │                            │
//                        └──no network──▶ offline ◀───┘       closed: close(), or the server said do not come back

/** Failures with the server's HTTP working, after which a transport counts as blocked: never opened, or opened and died young. */
const STRIKES_UNOPENED = 2;
const STRIKES_YOUNG = 3;

/** What a server may ask for; the platform's timers take 24 days at most. */
const RETRY_MAX_MS = 3_600_000;

export class Keeper {
  #options;
  #state = { name: 'idle' };
  #level; // index into transports; 0 is the best
  #link = null;
  #trial = null; // {link, level} of a better transport being tried while the link works
  #timer = null; // the one thing waited for: doubts about a slow link, or the next attempt
  #climbTimer = null;
  #openedAt = null;
  #round = 0; // counts the links let go of, so that a late answer finds out that it is late
  #attempt = 0;
  #strikes = 0;
  #climbs = 0;

  /**
   * @param {object} options
   * @param {string[]} options.transports best first
   * @param {(name: string) => object} options.makeLink a new WebSocketLink or HttpLink that tells `opened` and `down` here
   * @param {() => boolean} options.isWanted whether there is anything to be connected for
   * @param {() => Promise<'works'|'unreachable'|RoomcastError>} options.probe asks the server by plain HTTP; an error is its refusal
   * @param {(state: object) => void} options.onState
   * @param {(link: object) => void} options.onOpen a link to join the rooms on; the one before is closed
   * @param {(error: object) => void} options.onEnd the server will not have us
   */
  constructor(options) {
    this.#options = options;
    this.#level = Math.max(0, options.transports.indexOf(options.environment.recall()));
    options.environment.listen((sleptMs) => this.wake(sleptMs), () => this.#onNetwork());
  }

  get state() {
    return this.#state;
  }

  /** The link that is up, or null. */
  get link() {
    return this.#state.name === 'live' ? this.#link : null;
  }

  /** There is something to be connected for. */
  want() {
    if (this.#state.name === 'idle') this.#connect();
  }

  /** The room is not to be followed any more, be the link up or not yet. */
  left(room) {
    this.#link?.leave(room);
  }

  /** Trying now is worthwhile; so long no clock of ours has gone. */
  wake(sleptMs = 0) {
    if (this.#state.name === 'waiting') this.#connect();
    else this.link?.check(sleptMs);
  }

  /** The user asks for it: tries now, even after a refusal. */
  retry() {
    if (['waiting', 'offline', 'closed'].includes(this.#state.name)) this.#connect();
  }

  close() {
    this.#end('', undefined);
    this.#options.environment.stop();
  }

  /** From a link: it works. */
  opened(link) {
    if (link === this.#trial?.link) this.#climb(this.#trial);
    else if (link !== this.#link) return;
    clearTimeout(this.#timer);
    this.#openedAt = performance.now();
    this.#options.environment.remember(link.name);
    this.#change({ name: 'live', transport: link.name });
    this.#options.onOpen(link);
    this.#planClimb();
  }

  /** From a link: it is over. `failure`: {reason, code?, retryMs?, final?, blocked?}. */
  down(link, failure) {
    if (link === this.#trial?.link) return this.#tryNext(this.#trial.level + 1);
    if (link !== this.#link) return undefined;
    const age = this.#openedAt === null ? null : performance.now() - this.#openedAt;
    this.#release();
    if (failure.final) return this.#refused(failure);
    if (age !== null && age >= this.#options.timing.stableMs) this.#forgive();
    const isYoung = age === null || age < this.#options.timing.stableMs;
    const canStepDown = this.#level + 1 < this.#options.transports.length;
    if (isYoung && canStepDown && failure.retryMs === undefined) return this.#suspect(failure, age === null);
    return this.#retryLater(failure);
  }

  #connect() {
    this.#release();
    if (!this.#options.environment.online) return this.#change({ name: 'offline' });
    if (!this.#options.isWanted()) return this.#change({ name: 'idle' });
    this.#change({ name: 'connecting' });
    this.#link = this.#options.makeLink(this.#options.transports[this.#level]);
    if (this.#level + 1 < this.#options.transports.length) {
      this.#timer = setTimeout(() => this.#doubt(), this.#options.timing.doubtMs);
    }
    return this.#link.open();
  }

  /** It takes long: if the server answers plain HTTP meanwhile, something on the way holds this transport back. */
  async #doubt() {
    const link = this.#link;
    const verdict = await this.#options.probe();
    if (link !== this.#link || this.#state.name !== 'connecting') return;
    if (verdict === 'works') this.#stepDown();
  }

  /** The link failed early: is the server away, or is the transport blocked? */
  async #suspect(failure, unopened) {
    const round = this.#round;
    if (this.#state.name !== 'connecting') this.#change({ name: 'connecting' });
    const verdict = await this.#options.probe();
    if (round !== this.#round) return;
    if (verdict instanceof Error) this.#refused({ reason: verdict.message, code: verdict.code });
    else if (verdict === 'unreachable') this.#retryLater(failure);
    else {
      this.#strikes += 1;
      // One quick failure may be a server that was just restarting.
      const enough = failure.blocked ? 1 : unopened ? STRIKES_UNOPENED : STRIKES_YOUNG;
      if (this.#strikes >= enough) this.#stepDown();
      else this.#retryLater(failure);
    }
  }

  #stepDown() {
    this.#strikes = 0;
    this.#level += 1;
    this.#connect();
  }

  #retryLater({ reason, retryMs }) {
    const { environment } = this.#options;
    this.#release();
    if (!this.#options.isWanted()) return this.#change({ name: 'idle' });
    if (!environment.online) return this.#change({ name: 'offline', reason });
    // The server may ask for more time than that, but not for less: it may ask for none, each time.
    const leastMs = retryDelay(this.#attempt, { hidden: environment.hidden });
    const delayMs = Math.min(Number.isFinite(retryMs) ? Math.max(retryMs, leastMs) : leastMs, RETRY_MAX_MS);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#connect(), delayMs);
    return this.#change({ name: 'waiting', retryAt: Date.now() + delayMs, reason });
  }

  #onNetwork() {
    if (['idle', 'closed'].includes(this.#state.name)) return;
    if (!this.#options.environment.online) {
      this.#release();
      this.#change({ name: 'offline' });
    } else {
      // Another network may let through what the last one blocked.
      this.#climbs = 0;
      if (this.#state.name === 'offline') this.#connect();
      else this.wake();
    }
  }

  #planClimb() {
    clearTimeout(this.#climbTimer);
    if (this.#level === 0) return;
    const { climbMs, climbCapMs } = this.#options.timing;
    this.#climbTimer = setTimeout(() => this.#tryNext(0), climbDelay(this.#climbs, climbMs, climbCapMs));
  }

  /** Tries the transports from `level` on that are better than the one in use. */
  #tryNext(level) {
    this.#trial?.link.close();
    this.#trial = null;
    if (level >= this.#level) {
      this.#climbs += 1;
      return this.#planClimb();
    }
    this.#trial = { level, link: this.#options.makeLink(this.#options.transports[level]) };
    return this.#trial.link.open(true);
  }

  /** The trial works: it takes over, and the rooms go on from their cursors. */
  #climb({ link, level }) {
    this.#link.close();
    this.#link = link;
    this.#level = level;
    this.#strikes = 0;
    this.#trial = null;
  }

  #forgive() {
    this.#attempt = 0;
    this.#strikes = 0;
    if (this.#level === 0) this.#climbs = 0;
  }

  #refused({ reason, code }) {
    this.#end(reason, code);
    this.#options.onEnd({ reason, code });
  }

  #end(reason, code) {
    this.#release();
    this.#change({ name: 'closed', reason, code });
  }

  #release() {
    clearTimeout(this.#timer);
    clearTimeout(this.#climbTimer);
    this.#trial?.link.close();
    this.#link?.close();
    this.#trial = null;
    this.#link = null;
    this.#openedAt = null;
    this.#round += 1;
  }

  #change(state) {
    this.#state = state;
    this.#options.onState(state);
  }
}

// What goes on around the client: the network, whether anybody looks, whether the machine slept, a memory for the next page. Most
// of it only a browser knows.

/** Clocks that are apart by more than this were apart while the machine slept. */
const SLEPT_MS = 5_000;

// As URL writes hosts: localhost and the names below it (RFC 6761 section 6.3), with or without the root's dot, the addresses of
// this machine, IPv4 ones in IPv6 too, and those that mean "here".
const LOOPBACK = /^((.+\.)?localhost\.?|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/;

export class Environment {
  #host;
  #memoryKey;
  #lookMs;
  #stop = () => {};

  /**
   * @param {URL} base the server's
   * @param {number} lookMs how often the clocks are compared, and the network is looked at
   */
  constructor(base, lookMs) {
    this.#lookMs = lookMs;
    this.#host = base.hostname;
    this.#memoryKey = `roomcast transport of ${base.href}`;
  }

  /** The browser's word on the network says nothing about a server on this very machine. */
  get online() {
    return globalThis.navigator?.onLine !== false || LOOPBACK.test(this.#host);
  }

  get hidden() {
    return globalThis.document?.visibilityState === 'hidden';
  }

  /**
   * Tells what happens until `stop`.
   * @param {(sleptMs: number) => void} onWake trying now is worthwhile: the page is looked at again, comes back from the back-forward
   *   cache, or the machine slept, for so long; 0 if it did not
   * @param {() => void} onNetwork the network came or went; see `online`
   */
  listen(onWake, onNetwork) {
    const takeSleep = sleepMeter();
    const wake = () => onWake(takeSleep());
    let wasOnline = this.online;
    const onChange = () => {
      wasOnline = this.online;
      onNetwork();
    };
    const onLook = () => {
      const sleptMs = takeSleep();
      // Not every platform that knows whether there is a network says so when that changes.
      if (this.online !== wasOnline) onChange();
      else if (sleptMs > 0) onWake(sleptMs);
    };
    const timer = setInterval(onLook, this.#lookMs);
    timer.unref?.(); // Node: the process may end
    const onVisible = () => this.hidden || wake();
    const onShow = (event) => event.persisted && wake();
    const pairs = typeof document === 'undefined' ? [] : [
      [document, 'visibilitychange', onVisible],
      [document, 'resume', wake], // of a page that was frozen
      [window, 'pageshow', onShow],
    ];
    // A worker has these without a window.
    for (const event of ['online', 'offline']) pairs.push([globalThis, event, onChange]);
    for (const [target, event, listener] of pairs) target.addEventListener?.(event, listener);
    this.#stop = () => {
      clearInterval(timer);
      for (const [target, event, listener] of pairs) target.removeEventListener?.(event, listener);
    };
  }

  stop() {
    this.#stop();
  }

  /** Which transport got through the last time, on this tab. */
  recall() {
    try {
      return globalThis.document && sessionStorage.getItem(this.#memoryKey);
    } catch {
      return null; // storage may be forbidden
    }
  }

  remember(transport) {
    try {
      if (globalThis.document) sessionStorage.setItem(this.#memoryKey, transport);
    } catch {
      // Then the next page finds out by itself.
    }
  }
}

/**
 * How long the machine has slept since the last call, in ms; 0 if it has not. While it sleeps, timers and performance.now() stand
 * still (with most systems and browsers), so that no silence is noticed afterwards; the time of day goes on.
 */
function sleepMeter() {
  const ahead = () => Date.now() - performance.now();
  let last = ahead();
  return () => {
    const now = ahead();
    const slept = now - last;
    last = now;
    return slept > SLEPT_MS ? slept : 0;
  };
}

// When to try again: exponential back-off with full jitter, so that a room full of tabs does not come back at one instant.

export const BASE_MS = 500;
export const CAP_MS = 30_000;
/** A page nobody looks at waits longer; it tries at once when it is looked at again. */
export const HIDDEN_FACTOR = 4;

/**
 * The wait before a retry, in milliseconds: evenly spread over 0 … min(CAP_MS, BASE_MS · 2^attempt).
 * @param {number} attempt retries since the last stable connection, from 0
 * @param {object} [options]
 * @param {boolean} [options.hidden] nobody looks at the page
 * @param {() => number} [options.random] a number in [0, 1)
 */
export function retryDelay(attempt, { hidden = false, random = Math.random } = {}) {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** attempt) * (hidden ? HIDDEN_FACTOR : 1);
  return Math.floor(random() * ceiling);
}

/**
 * The wait before the next try of a better transport: grows from `firstMs` to `capMs`, the upper half of it jittered.
 * @param {number} attempt tries that failed, from 0
 */
export function climbDelay(attempt, firstMs, capMs, random = Math.random) {
  return Math.min(capMs, firstMs * 2 ** attempt) * (0.5 + random() / 2);
}
