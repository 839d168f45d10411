// Keeps one link connected: reconnects, steps down to the next transport if one is blocked, and climbs back up later.
//
//   idle ──wanted──▶ connecting ──▶ live ──down──▶ waiting ──timer, wake──▶ connecting
//                        │                            │
//                        └──no network──▶ offline ◀───┘       closed: by close(), or refused by the server

/** Failures after which a transport counts as blocked although HTTP works: never opened, or opened but closed soon. */
const STRIKES_UNOPENED = 2;
const STRIKES_YOUNG = 3;

/** Upper bound for the server's retry delay; timers are limited to 24 days. */
const RETRY_MAX_MS = 3_600_000;

export class Reconnector {
  #options;
  #state = { name: 'idle' };
  #level; // index into transports; 0 is the best
  #link = null;
  #trial = null; // {link, level}: a better transport that is tried while the link works
  #timer = null; // the only pending timer: for a slow link, or for the next attempt
  #climbTimer = null;
  #openedAt = null;
  #round = 0; // number of released links, for recognising a result that is outdated
  #attempt = 0;
  #strikes = 0;
  #denials = 0; // in a row, without a stable link in between
  #climbs = 0;

  /**
   * @param {object} options
   * @param {string[]} options.transports names, best first
   * @param {(name: string) => object} options.makeLink creates a WebSocketLink or HttpLink that calls `opened` and `down`
   * @param {() => Promise<unknown>} [options.prepare] is awaited before each connection
   * @param {() => boolean} options.isWanted whether a connection is needed
   * @param {() => Promise<'works'|'unreachable'|RoomcastError>} options.probe checks the server over plain HTTP; a RoomcastError
   *   is a refusal
   * @param {(state: object) => void} options.onState
   * @param {(link: object) => void} options.onOpen a link is open for joining the rooms; the previous one is closed
   * @param {(error: object) => void} options.onEnd the server refused the client for good
   */
  constructor(options) {
    this.#options = options;
    this.#level = Math.max(0, options.transports.indexOf(options.environment.recall()));
    options.environment.listen((sleptMs) => this.wake(sleptMs), () => this.#onNetwork());
  }

  get state() {
    return this.#state;
  }

  /** The open link, or null. */
  get link() {
    return this.#state.name === 'live' ? this.#link : null;
  }

  get #canStepDown() {
    return this.#level + 1 < this.#options.transports.length;
  }

  /** A connection is needed. */
  want() {
    if (this.#state.name === 'idle') this.#connect();
  }

  /** Unsubscribes from the room, whether or not the link is open. */
  left(room) {
    this.#link?.leave(room);
  }

  /** Reconnects now, or checks the link. `sleptMs`: time that performance.now() did not count. */
  wake(sleptMs = 0) {
    if (this.#state.name === 'waiting') this.#connect();
    else this.link?.check(sleptMs);
  }

  /** Reconnects now, even after a refusal. */
  retry() {
    this.#denials = 0;
    if (['waiting', 'offline', 'closed'].includes(this.#state.name)) this.#connect();
  }

  close() {
    this.#end('', undefined);
    this.#options.environment.stop();
  }

  /** Called by a link that works. */
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

  /** Called by a link that has ended. `failure`: {reason, code?, retryMs?, final?, denied?, blocked?}; `denied`: who the client is. */
  down(link, failure) {
    if (link === this.#trial?.link) return this.#tryNext(this.#trial.level + 1);
    if (link !== this.#link) return undefined;
    const age = this.#openedAt === null ? null : performance.now() - this.#openedAt;
    this.#release();
    if (failure.final) return this.#refused(failure);
    if (age !== null && age >= this.#options.timing.stableMs) this.#forgive();
    if (failure.denied) return this.#denied(failure);
    const isYoung = age === null || age < this.#options.timing.stableMs;
    // Why a WebSocket was refused, browsers don't say; the answer to a plain request does.
    const isWorthAsking = this.#canStepDown || (age === null && this.#options.prepare);
    if (isYoung && isWorthAsking && failure.retryMs === undefined) return this.#suspect(failure, age === null);
    return this.#retryLater(failure);
  }

  #connect() {
    this.#release();
    if (!this.#options.environment.online) return this.#change({ name: 'offline' });
    if (!this.#options.isWanted()) return this.#change({ name: 'idle' });
    this.#change({ name: 'connecting' });
    return this.#options.prepare ? this.#prepare() : this.#open();
  }

  async #prepare() {
    const round = this.#round;
    const problem = await this.#options.prepare().then(() => undefined, (error) => error);
    if (round !== this.#round) return;
    if (problem) this.#retryLater({ reason: `There is no token: ${problem.message}` });
    else this.#open();
  }

  #open() {
    this.#link = this.#options.makeLink(this.#options.transports[this.#level]);
    if (this.#canStepDown) this.#timer = setTimeout(() => this.#doubt(), this.#options.timing.doubtMs);
    return this.#link.open();
  }

  /** Opening takes long: if the server responds to plain HTTP, the transport is blocked somewhere on the way. */
  async #doubt() {
    const link = this.#link;
    const verdict = await this.#options.probe();
    if (link !== this.#link || this.#state.name !== 'connecting') return;
    if (verdict === 'works') this.#stepDown();
  }

  /** The link failed early: finds out whether the server is unreachable or the transport blocked. */
  async #suspect(failure, unopened) {
    const round = this.#round;
    if (this.#state.name !== 'connecting') this.#change({ name: 'connecting' });
    const verdict = await this.#options.probe();
    if (round !== this.#round) return;
    if (verdict instanceof Error) this.#denied({ reason: verdict.message, code: verdict.code }, verdict.status === 401 && this.#options.prepare !== undefined);
    else if (verdict === 'unreachable' || !this.#canStepDown) this.#retryLater(failure);
    else {
      this.#strikes += 1;
      // A single early failure may come from a server that is restarting.
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
    // The server can request a longer delay but not a shorter one, otherwise a value of 0 would cause a busy loop.
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
      // Another network may allow transports that the last one blocked.
      this.#climbs = 0;
      if (this.#state.name === 'offline') this.#connect();
      else this.wake();
    }
  }

  #planClimb() {
    clearTimeout(this.#climbTimer);
    if (this.#level === 0) return;
    const { climbMs, climbCapMs } = this.#options.timing;
    this.#climbTimer = setTimeout(() => this.#tryNext(0), backoffDelay(this.#climbs, climbMs, climbCapMs));
  }

  /** Tries the transports from `level` on that are better than the current one. */
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

  /** The better transport works and replaces the link; rooms resume from their cursors. */
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
    this.#denials = 0;
    if (this.#level === 0) this.#climbs = 0;
  }

  /** The server does not know who the client is, any more or at all: another token may tell it, once. */
  #denied(failure, mayHelp = true) {
    this.#denials += 1;
    if (mayHelp && this.#denials === 1) this.#connect();
    else this.#refused(failure);
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

// The environment of the client: network state, visibility of the page, sleep of the machine, and storage for the next page.
// Most of it exists in browsers only.

/** If the two clocks differ by more than this, the machine slept. */
const SLEPT_MS = 5_000;

// Hosts in the form that URL gives them: localhost and subdomains (RFC 6761 section 6.3), with or without the root's dot;
// loopback addresses, also as IPv4-mapped IPv6; and the unspecified addresses.
const LOOPBACK = /^((.+\.)?localhost\.?|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/;

export class Environment {
  #host;
  #memoryKey;
  #lookMs;
  #stop = () => {};

  /**
   * @param {URL} base base URL of the server
   * @param {number} lookMs interval of comparing the clocks and of checking the network
   */
  constructor(base, lookMs) {
    this.#lookMs = lookMs;
    this.#host = base.hostname;
    this.#memoryKey = `roomcast transport of ${base.href}`;
  }

  /** Being offline does not affect a server on this machine. */
  get online() {
    return globalThis.navigator?.onLine !== false || LOOPBACK.test(this.#host);
  }

  get hidden() {
    return globalThis.document?.visibilityState === 'hidden';
  }

  /**
   * Reports events until `stop` is called.
   * @param {(sleptMs: number) => void} onWake reconnecting now makes sense: the page became visible, was restored from the
   *   back-forward cache, or the machine slept, for `sleptMs`; 0 if it did not sleep
   * @param {() => void} onNetwork the network became available or unavailable; see `online`
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
      // Some platforms know the state of the network but do not send events.
      if (this.online !== wasOnline) onChange();
      else if (sleptMs > 0) onWake(sleptMs);
    };
    const timer = setInterval(onLook, this.#lookMs);
    timer.unref?.(); // Node: do not keep the process running
    const onVisible = () => this.hidden || wake();
    const onShow = (event) => event.persisted && wake();
    const pairs = typeof document === 'undefined' ? [] : [
      [document, 'visibilitychange', onVisible],
      [document, 'resume', wake], // after the page was frozen
      [window, 'pageshow', onShow],
    ];
    // These also exist in workers, which have no window.
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

  /** The transport that worked last, in this tab. */
  recall() {
    try {
      return globalThis.document && sessionStorage.getItem(this.#memoryKey);
    } catch {
      return null; // storage may be denied
    }
  }

  remember(transport) {
    try {
      if (globalThis.document) sessionStorage.setItem(this.#memoryKey, transport);
    } catch {
      // The next page has to find out again.
    }
  }
}

/**
 * The time in ms that the machine has slept since the last call; 0 if it has not. During sleep, timers and performance.now()
 * stop (on most systems and browsers), so timeouts do not notice it; Date.now() continues.
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

// Retry delays: exponential back-off with full jitter, so that many clients do not reconnect at the same instant.

export const BASE_MS = 500;
export const CAP_MS = 30_000;
/** Factor for hidden pages; they reconnect at once when they become visible. */
export const HIDDEN_FACTOR = 4;

/**
 * The delay before a retry, in milliseconds: evenly distributed over 0 … min(CAP_MS, BASE_MS · 2^attempt).
 * @param {number} attempt retries since the last stable connection, from 0
 * @param {object} [options]
 * @param {boolean} [options.hidden] the page is hidden
 * @param {() => number} [options.random] a number in [0, 1)
 */
export function retryDelay(attempt, { hidden = false, random = Math.random } = {}) {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** attempt) * (hidden ? HIDDEN_FACTOR : 1);
  return Math.floor(random() * ceiling);
}

/**
 * A delay that doubles from `firstMs` to `capMs`, with jitter over its upper half.
 * @param {number} attempt number of failures, from 0
 */
export function backoffDelay(attempt, firstMs, capMs, random = Math.random) {
  return Math.min(capMs, firstMs * 2 ** attempt) * (0.5 + random() / 2);
}
