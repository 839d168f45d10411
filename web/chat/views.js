// The views around the rooms: room list, people, status of the connection, join form, enlarged picture.

import { cleanName, element, isComposing, roomProblem } from '../common/page.js';
import { markAuthor, principalOf } from './message.js';
import { number, say, sayAttribute, words } from '../common/language.js';

// The side panel: joined rooms, and the people of the current one. On a narrow screen it opens over the rooms.

const byId = (id) => document.getElementById(id);

export class RoomList {
  #list = byId('rooms');
  #field = byId('add-room-name');
  #buttons = new Map(); // room -> {item, button, badge}
  #onChoose;

  /** @param {(room: string) => void} onChoose called with a valid room name, joined already or not */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    byId('add-room').addEventListener('submit', (event) => {
      event.preventDefault();
      const room = this.#field.value.trim();
      const problem = roomProblem(room);
      say(byId('add-room-name-problem'), problem?.key, problem?.values);
      this.#field.setAttribute('aria-invalid', String(problem !== null));
      if (problem) return;
      this.#field.value = '';
      onChoose(room);
    });
  }

  /**
   * @param {{room: string, unread: number, current: boolean}[]} rooms in their order
   * @param {string[]} known rooms to suggest for joining
   */
  show(rooms, known) {
    for (const room of [...this.#buttons.keys()].filter((name) => !rooms.some((one) => one.room === name))) {
      this.#buttons.get(room).item.remove();
      this.#buttons.delete(room);
    }
    for (const { room, unread, current } of rooms) {
      const { button, badge } = this.#buttons.get(room) ?? this.#add(room);
      if (current) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
      showUnread(badge, unread);
    }
    const others = known.filter((name) => !this.#buttons.has(name));
    byId('known-rooms').replaceChildren(...others.map((name) => new Option(name, name)));
  }

  #add(room) {
    const name = element('span', 'room-name', room);
    name.dir = 'auto';
    const badge = element('span', 'unread');
    const button = element('button', 'room-link', name, badge);
    button.type = 'button';
    button.title = room;
    button.addEventListener('click', () => this.#onChoose(room));
    const item = element('li', '', button);
    this.#list.append(item);
    const made = { item, button, badge };
    this.#buttons.set(room, made);
    return made;
  }
}

/** A number in a badge, with a text for screen readers. */
function showUnread(badge, unread) {
  badge.hidden = unread === 0;
  const word = element('span', 'unseen');
  say(word, 'unread');
  badge.replaceChildren(unread > 99 ? '99+' : String(unread), word);
}

/** The people in the room; while disconnected, those last known. */
export class People {
  #panel = byId('people').parentElement;
  #title = byId('people-title-text');
  #count = byId('people-count');
  #list = byId('people');
  #rest = byId('people-rest');

  /** @param {{count: number, anonymous: number, crowd: boolean, members: {name: string, user?: string, key?: string}[]}} people @param {string} me */
  show({ count, anonymous, crowd, members }, me) {
    const text = count > 0 ? number(count) : '';
    if (this.#count.textContent !== text) this.#count.textContent = text;
    this.#list.replaceChildren(...(crowd ? [] : members.map((member) => personElement(member, member.name === me))));
    this.#list.classList.toggle('has-verified', members.some(principalOf));
    const nameless = members.length > 0 ? 'and_nameless' : 'nameless';
    say(this.#rest, crowd ? 'crowd' : anonymous > 0 && nameless, { count: anonymous });
  }

  /** @param {boolean} live whether the list is current */
  connectionChanged(live) {
    this.#panel.classList.toggle('stale', !live);
    say(this.#title, live ? 'here_now' : 'was_here');
  }
}

function personElement(member, isMe) {
  const label = element('bdi', 'name-label', member.name);
  markAuthor(label, principalOf(member));
  if (!isMe) return element('li', '', label);
  const hint = element('span', 'hint');
  say(hint, 'you');
  return element('li', 'is-me', label, hint);
}

/** The button that opens the side panel, where the screen has no space for both. */
export class Menu {
  #button = byId('menu');
  #side = byId('side');

  constructor() {
    this.#button.addEventListener('click', () => this.#open(!this.isOpen));
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || isComposing(event) || !this.isOpen) return;
      this.close();
      this.#button.focus();
    });
    document.addEventListener('pointerdown', (event) => {
      if (this.isOpen && !this.#side.contains(event.target) && !this.#button.contains(event.target)) this.close();
    });
  }

  get isOpen() {
    return this.#side.classList.contains('open');
  }

  close() {
    this.#open(false);
  }

  /** @param {number} unread in the rooms that are not visible */
  showUnread(unread) {
    showUnread(byId('menu-unread'), unread);
  }

  #open(open) {
    this.#side.classList.toggle('open', open);
    this.#button.setAttribute('aria-expanded', String(open));
    if (open) this.#side.querySelector('button')?.focus();
  }
}

// The status of the connection: a lamp and short text, a sentence for screen readers, a button where retrying helps.

/** Transports named in the tooltip. */
const TRANSPORTS = { websocket: 'WebSocket', sse: 'EventSource' };

export class StatusView {
  #root = document.getElementById('state');
  #text = document.getElementById('state-text');
  #announced = document.getElementById('state-announced');
  #retry = document.getElementById('state-retry');
  #ticker = null;
  #spoken = '';

  /** @param {() => void} onRetry the user wants to reconnect now */
  constructor(onRetry) {
    this.#retry.addEventListener('click', onRetry);
  }

  /** @param {import('./app.js').State} state */
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

  /** Announces only lasting changes, not the attempts in between. */
  #announce(name) {
    if (name === 'connecting' && this.#spoken === 'waiting') return;
    if (name !== this.#spoken) say(this.#announced, name === 'idle' ? '' : `spoken_${name}`);
    this.#spoken = name;
  }
}

// The join form: asks for a name and a room.
export class JoinForm {
  #name = document.getElementById('join-name');
  #room = document.getElementById('join-room');

  /** @param {(choice: {name: string, room: string}) => void} onJoin both are valid */
  constructor(onJoin) {
    document.getElementById('join-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const choice = { name: cleanName(this.#name.value), room: this.#room.value.trim() };
      const roomOk = this.#judge(this.#room, roomProblem(choice.room));
      const nameOk = this.#judge(this.#name, choice.name ? null : { key: 'name_missing' });
      if (nameOk && roomOk) onJoin(choice);
      else (nameOk ? this.#room : this.#name).focus();
    });
  }

  fill({ name, room }) {
    this.#name.value = name;
    this.#room.value = room;
    this.#judge(this.#name, null);
    this.#judge(this.#room, room ? roomProblem(room) : null);
    (name ? this.#room : this.#name).focus();
  }

  #judge(field, problem) {
    say(document.getElementById(`${field.id}-problem`), problem?.key, problem?.values);
    field.setAttribute('aria-invalid', String(problem !== null));
    return problem === null;
  }
}

// A picture of the log, enlarged.
export class Viewer {
  #dialog = document.getElementById('viewer');
  #picture = document.querySelector('#viewer img');

  constructor() {
    document.addEventListener('click', (event) => {
      const opener = event.target.closest?.('.picture-open');
      if (opener) this.#open(opener.querySelector('img'));
    });
    // A click anywhere closes it; the Escape key does so natively.
    this.#dialog.addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#picture.removeAttribute('src'));
  }

  #open(picture) {
    this.#picture.src = picture.src;
    this.#picture.alt = picture.alt;
    this.#dialog.showModal();
  }
}
