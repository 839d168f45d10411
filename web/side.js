// Beside the rooms: which of them are joined, and who is in the one looked at. On a narrow screen it opens over them.

import { element } from './elements.js';
import { roomProblem } from './room.js';

const byId = (id) => document.getElementById(id);

export class RoomList {
  #list = byId('rooms');
  #field = byId('add-room-name');
  #buttons = new Map(); // room -> {item, button, badge}
  #onChoose;

  /** @param {(room: string) => void} onChoose a room's name, valid; joined already or not */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    byId('add-room').addEventListener('submit', (event) => {
      event.preventDefault();
      const room = this.#field.value.trim();
      const problem = roomProblem(room);
      byId('add-room-name-problem').textContent = problem;
      this.#field.setAttribute('aria-invalid', String(problem !== ''));
      if (problem) return;
      this.#field.value = '';
      onChoose(room);
    });
  }

  /**
   * @param {{room: string, unread: number, current: boolean}[]} rooms in their order
   * @param {string[]} known rooms to suggest when another one is joined
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

/** A number in a badge, with the word for who cannot see that it is one. */
export function showUnread(badge, unread) {
  badge.hidden = unread === 0;
  badge.replaceChildren(unread > 99 ? '99+' : String(unread), element('span', 'unseen', ' unread'));
}

export class People {
  #list = byId('people');

  /** @param {{count: number, anonymous: number, crowd: boolean, members: {name: string}[]}} people @param {string} me */
  show({ count, anonymous, crowd, members }, me) {
    byId('people-count').textContent = count > 0 ? count.toLocaleString() : '';
    this.#list.replaceChildren(...(crowd ? [] : members.map(({ name }) => personElement(name, name === me))));
    byId('people-rest').textContent = restText(crowd, anonymous, members.length);
  }
}

function personElement(name, isMe) {
  const who = element('bdi', '', name);
  return isMe ? element('li', 'is-me', who, element('span', 'hint', ' (you)')) : element('li', '', who);
}

function restText(crowd, anonymous, named) {
  if (crowd) return 'Too many to name.';
  if (anonymous === 0) return '';
  return `${named > 0 ? 'and ' : ''}${anonymous.toLocaleString()} without a name`;
}

/** The button that opens the side over the rooms, where the screen has no place for both. */
export class Menu {
  #button = byId('menu');
  #side = byId('side');

  constructor() {
    this.#button.addEventListener('click', () => this.#open(!this.isOpen));
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.isOpen) return;
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

  /** @param {number} unread in the rooms one does not see */
  showUnread(unread) {
    showUnread(byId('menu-unread'), unread);
  }

  #open(open) {
    this.#side.classList.toggle('open', open);
    this.#button.setAttribute('aria-expanded', String(open));
    if (open) this.#side.querySelector('button')?.focus();
  }
}
