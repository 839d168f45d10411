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
