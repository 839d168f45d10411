// The field: what is written, chosen, pasted or dropped.

import { isComposing } from './keys.js';
import { say } from './language.js';

export class Composer {
  #pane;
  #entry;
  #notice;
  #dropHint;
  #send;
  #attach;
  #handlers;

  /**
   * @param {HTMLElement} pane
   * @param {object} handlers
   * @param {(text: string) => boolean} handlers.onText true if it was taken, so that the field may be emptied
   * @param {(files: File[]) => void} handlers.onFiles
   */
  constructor(pane, handlers) {
    const part = (selector) => pane.querySelector(selector);
    const picture = part('.picture-file');
    this.#pane = pane;
    this.#entry = part('.entry');
    this.#notice = part('.notice');
    this.#dropHint = part('.drop-hint');
    this.#send = part('.send');
    this.#attach = part('.attach');
    this.#handlers = handlers;
    part('.composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#entry.addEventListener('keydown', (event) => this.#onKey(event));
    this.#entry.addEventListener('input', () => this.#fit());
    this.#attach.addEventListener('click', () => picture.click());
    picture.addEventListener('change', () => {
      this.#handlers.onFiles([...picture.files]);
      picture.value = '';
      this.focus();
    });
    pane.addEventListener('paste', (event) => {
      // Office programs put a picture of the text beside the text.
      if (!event.clipboardData?.types.includes('text/plain')) this.#take(event, event.clipboardData);
    });
    this.#watchDrops();
  }

  focus() {
    this.#entry.focus();
  }

  /** Whether sending makes sense at all; the field itself stays open, so that nothing written is lost. */
  enable(possible) {
    this.#send.setAttribute('aria-disabled', String(!possible));
    this.#attach.setAttribute('aria-disabled', String(!possible));
  }

  /** Something the user should know, as `words` says it; an empty key takes it away. @param {'problem'|'news'} tone */
  notice(key, values, tone = 'problem') {
    say(this.#notice, key, values);
    this.#notice.dataset.tone = tone;
  }

  #submit() {
    const text = this.#entry.value.trim();
    if (!text) return;
    if (!this.#handlers.onText(text)) return;
    this.#entry.value = '';
    this.notice('');
    this.#fit();
    this.focus();
  }

  #onKey(event) {
    // While an input method composes, Enter picks a candidate.
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    this.#submit();
  }

  /** For browsers without `field-sizing: content`. */
  #fit() {
    this.#entry.rows = Math.min(6, this.#entry.value.split('\n').length);
  }

  #take(event, transfer) {
    const files = [...(transfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#handlers.onFiles(files);
  }

  #watchDrops() {
    const area = this.#pane;
    const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
    area.addEventListener('dragover', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#dropHint.hidden = false;
    });
    area.addEventListener('dragleave', (event) => {
      if (!area.contains(event.relatedTarget)) this.#dropHint.hidden = true;
    });
    area.addEventListener('drop', (event) => {
      this.#dropHint.hidden = true;
      this.#take(event, event.dataTransfer);
    });
  }
}
