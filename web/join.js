// The door: asks for a name and a room.

import { say } from './language.js';
import { cleanName, roomProblem } from './room.js';

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
