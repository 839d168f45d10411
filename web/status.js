// The state of the line: a lamp and words for the eye, a sentence for the screen reader, a button where one helps.

import { say, sayAttribute, words } from './language.js';

/** How it is connected matters to whoever looks for it; the rest only want to know that it is. */
const TRANSPORTS = { websocket: 'WebSocket', sse: 'EventSource' };

export class StatusView {
  #root = document.getElementById('state');
  #text = document.getElementById('state-text');
  #announced = document.getElementById('state-announced');
  #retry = document.getElementById('state-retry');
  #ticker = null;
  #spoken = '';

  /** @param {() => void} onRetry the user wants it to try at once */
  constructor(onRetry) {
    this.#retry.addEventListener('click', onRetry);
  }

  /** @param {import('./line.js').State} state */
  show(state) {
    clearInterval(this.#ticker);
    this.#root.dataset.state = state.name;
    this.#retry.hidden = state.name !== 'waiting' && state.name !== 'closed';
    say(this.#retry, state.name === 'closed' ? 'connect_again' : 'try_now');
    const transport = () => TRANSPORTS[state.transport] ?? words('long_poll');
    sayAttribute(this.#root, 'title', state.name === 'live' ? 'live_by' : '', { transport });
    if (state.name === 'waiting') {
      this.#countDown(state.retryAt);
      this.#ticker = setInterval(() => this.#countDown(state.retryAt), 1000);
    } else {
      say(this.#text, state.name === 'idle' ? '' : state.name);
    }
    this.#announce(state.name);
  }

  #countDown(retryAt) {
    say(this.#text, 'waiting', { seconds: Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) });
  }

  /** Once a change that matters: the attempts between losing the line and having it again are not news. */
  #announce(name) {
    if (name === 'connecting' && this.#spoken === 'waiting') return;
    if (name !== this.#spoken) say(this.#announced, name === 'idle' ? '' : `spoken_${name}`);
    this.#spoken = name;
  }
}
