// One room over any of the five transports, with nothing but what the browser has: how little each of them needs.
// All of them speak the same objects and the same cursors, so that one can go on where another has stopped.

const LONG_POLL_SECONDS = 25;
const SHORT_POLL_MS = 1000;

/**
 * @typedef {object} Listener
 * @property {(transport: string) => void} onOpen the server has answered
 * @property {(object: {type: string, cursor: string}) => void} onObject `ok`, `gap` or `message`, in the room's order
 * @property {() => void} onEnd it broke off or was ended by the server; nothing comes after it
 */

/** Each begins to listen and gives the function that ends it; `signal` is the same end for what takes one. */
const transports = {
  websocket(url, { onOpen, onObject, onEnd }) {
    const address = new URL(url);
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = new WebSocket(address, 'roomcast.v1');
    socket.onopen = onOpen;
    socket.onmessage = (event) => onObject(JSON.parse(event.data));
    socket.onclose = onEnd;
    return () => socket.close();
  },

  sse(url, { onOpen, onObject, onEnd }) {
    const address = new URL(url);
    address.searchParams.set('dialect', 'roomcast.v1');
    const source = new EventSource(address);
    source.onopen = onOpen;
    for (const event of ['ok', 'gap', 'message']) source.addEventListener(event, ({ data }) => onObject(JSON.parse(data)));
    // By itself it would come back to this very address, whose cursor is an old one by then.
    source.onerror = onEnd;
    return () => source.close();
  },

  stream(url, { onOpen, onObject, onEnd }) {
    const stop = new AbortController();
    const read = async () => {
      const answer = await fetch(url, { headers: { Accept: 'application/x-ndjson' }, signal: stop.signal, cache: 'no-store' });
      if (!answer.ok) return;
      onOpen();
      for await (const line of linesOf(answer.body)) onObject(JSON.parse(line));
    };
    read().catch(() => {}).then(onEnd);
    return () => stop.abort();
  },

  longpoll: (url, listener) => poll(url, listener, { wait: LONG_POLL_SECONDS, pauseMs: 0 }),
  shortpoll: (url, listener) => poll(url, listener, { wait: 0, pauseMs: SHORT_POLL_MS }),
};

export const TRANSPORTS = Object.keys(transports);

/**
 * Listens to a room until it breaks off or is ended.
 * @param {string} transport one of TRANSPORTS
 * @param {string} room the room's http(s) address, absolute
 * @param {{since?: string, history?: number}} from where to begin: behind a cursor, or with the last messages
 * @param {Listener} listener
 * @returns {() => void} ends it; the listener hears nothing more
 */
export function listen(transport, room, { since, history }, listener) {
  let ended = false;
  const unlessEnded = (callback) => (value) => {
    if (!ended) callback(value);
  };
  const url = new URL(room);
  if (since) url.searchParams.set('since', since);
  else if (history) url.searchParams.set('history', history);
  const stop = transports[transport](url, {
    onOpen: unlessEnded(listener.onOpen),
    onObject: unlessEnded((object) => {
      if (['ok', 'gap', 'message'].includes(object.type)) listener.onObject(object);
    }),
    onEnd: unlessEnded(() => {
      end();
      listener.onEnd();
    }),
  });
  function end() {
    ended = true;
    // A WebSocket may fail before the function that ends it is there.
    queueMicrotask(() => stop());
  }
  return end;
}

function poll(url, { onOpen, onObject, onEnd }, { wait, pauseMs }) {
  const stop = new AbortController();
  const address = new URL(url);
  const read = async () => {
    while (!stop.signal.aborted) {
      const answer = await fetch(address, { signal: stop.signal, cache: 'no-store' });
      if (!answer.ok) return;
      const { cursor, gap, messages } = await answer.json();
      onOpen();
      if (gap) onObject({ type: 'gap', ...gap });
      for (const message of messages) onObject(message);
      onObject({ type: 'ok', cursor });
      address.searchParams.delete('history');
      address.searchParams.set('since', cursor);
      // Only from the second one on: the first tells at once that the line is up.
      if (wait) address.searchParams.set('wait', wait);
      if (pauseMs) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  read().catch(() => {}).then(onEnd);
  return () => stop.abort();
}

async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    // The empty ones are heartbeats.
    yield* lines.filter((line) => line !== '');
  }
}
