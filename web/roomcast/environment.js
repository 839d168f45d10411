// What the browser knows and Node does not: the network, whether anybody looks, a memory for the next page.

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export class Environment {
  #host;
  #memoryKey;
  #stop = () => {};

  /** @param {URL} base the server's */
  constructor(base) {
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
   * @param {() => void} onWake trying now is worthwhile: the page is looked at again, or comes back from the back-forward cache
   * @param {() => void} onNetwork the network came or went; see `online`
   */
  listen(onWake, onNetwork) {
    if (typeof document === 'undefined') return;
    const onVisible = () => this.hidden || onWake();
    const onShow = (event) => event.persisted && onWake();
    const pairs = [[document, 'visibilitychange', onVisible], [window, 'pageshow', onShow], [window, 'online', onNetwork], [window, 'offline', onNetwork]];
    for (const [target, event, listener] of pairs) target.addEventListener(event, listener);
    this.#stop = () => pairs.forEach(([target, event, listener]) => target.removeEventListener(event, listener));
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
