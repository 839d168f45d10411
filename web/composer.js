// The field: what is written, chosen, pasted or dropped.

export class Composer {
  #form = document.getElementById('composer');
  #entry = document.getElementById('entry');
  #picture = document.getElementById('picture');
  #attach = document.getElementById('attach');
  #notice = document.getElementById('notice');
  #dropHint = document.getElementById('drop-hint');
  #send = this.#form.querySelector('.send');
  #handlers;

  /**
   * @param {object} handlers
   * @param {(text: string) => boolean} handlers.onText true if it was sent, so that the field may be emptied
   * @param {(files: File[]) => void} handlers.onFiles
   */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#entry.addEventListener('keydown', (event) => this.#onKey(event));
    this.#entry.addEventListener('input', () => this.#fit());
    this.#attach.addEventListener('click', () => this.#picture.click());
    this.#picture.addEventListener('change', () => {
      this.#handlers.onFiles([...this.#picture.files]);
      this.#picture.value = '';
      this.focus();
    });
    document.addEventListener('paste', (event) => {
      // Office programs put a picture of the text beside the text.
      if (!event.clipboardData?.types.includes('text/plain')) this.#take(event, event.clipboardData);
    });
    this.#watchDrops(document.getElementById('chat'));
  }

  focus() {
    this.#entry.focus();
  }

  /** Whether sending makes sense now; the field itself stays open, so that nothing written is lost. */
  enable(live) {
    this.#send.setAttribute('aria-disabled', String(!live));
    this.#attach.setAttribute('aria-disabled', String(!live));
  }

  /** Something the user should know; an empty text takes it away. @param {'problem'|'news'} tone */
  notice(text, tone = 'problem') {
    this.#notice.textContent = text;
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
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  /** For browsers without `field-sizing: content`. */
  #fit() {
    this.#entry.rows = Math.min(6, this.#entry.value.split('\n').length);
  }

  #take(event, transfer) {
    const files = [...(transfer?.files ?? [])];
    if (files.length === 0 || document.getElementById('chat').hidden) return;
    event.preventDefault();
    this.#handlers.onFiles(files);
  }

  #watchDrops(area) {
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
