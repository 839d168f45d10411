// The state of the line: a lamp and words for the eye, a sentence for the screen reader, a button where one helps.

const LABELS = { idle: '', connecting: 'Connecting…', live: 'Live', offline: 'Offline', closed: 'Disconnected' };
const TRANSPORTS = { websocket: 'WebSocket', sse: 'EventSource', poll: 'long poll' };
const SPOKEN = {
  idle: '',
  connecting: 'Connecting',
  live: 'Connected',
  waiting: 'Connection lost, reconnecting',
  offline: 'Offline, waiting for the network',
  closed: 'Disconnected',
};

export class StatusView {
  #root = document.getElementById('state');
  #text = document.getElementById('state-text');
  #transport = document.getElementById('state-transport');
  #announced = document.getElementById('state-announced');
  #retry = document.getElementById('state-retry');
  #ticker = null;

  /** @param {() => void} onRetry the user wants it to try at once */
  constructor(onRetry) {
    this.#retry.addEventListener('click', onRetry);
  }

  /** @param {import('./line.js').State} state */
  show(state) {
    clearInterval(this.#ticker);
    this.#root.dataset.state = state.name;
    this.#retry.hidden = state.name !== 'waiting' && state.name !== 'closed';
    this.#retry.textContent = state.name === 'closed' ? 'Connect again' : 'Try now';
    this.#transport.textContent = state.name === 'live' ? `by ${TRANSPORTS[state.transport] ?? state.transport}` : '';
    if (state.name === 'waiting') {
      this.#countDown(state.retryAt);
      this.#ticker = setInterval(() => this.#countDown(state.retryAt), 1000);
    } else {
      this.#text.textContent = LABELS[state.name];
    }
    this.#announce(state.name);
  }

  #countDown(retryAt) {
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    this.#text.textContent = `Reconnecting in ${seconds} s`;
  }

  /** Once a change that matters: the attempts between losing the line and having it again are not news. */
  #announce(name) {
    const again = name === 'connecting' && this.#announced.textContent === SPOKEN.waiting;
    if (!again && this.#announced.textContent !== SPOKEN[name]) this.#announced.textContent = SPOKEN[name];
  }
}
