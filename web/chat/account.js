// Signing in and out: who is signed in, the dialog that asks, and the renewal of the session. Loaded where the server has accounts.

import { errorWords, say } from '../common/language.js';

/** Codes of refusals that signing in may help against. */
const SIGN_IN_HELPS = new Set(['unauthorized', 'bad_token', 'token_expired', 'token_revoked']);
const RENEW_AT_LEAST_MS = 10_000;
const RENEW_AT_MOST_MS = 6 * 3_600_000;

const byId = (id) => document.getElementById(id);

export class Account {
  #dialog = byId('sign-in');
  #form = byId('sign-in-form');
  #user = byId('sign-in-user');
  #password = byId('sign-in-password');
  #problem = byId('sign-in-problem');
  #who = null; // {user, name, roles} of the server
  #renewal = null;
  #onChange;

  /**
   * @param {{user?: string, name?: string}} found the answer of `GET /api/login`: who is signed in
   * @param {(what: 'in'|'out') => void} onChange the user has signed in or out
   */
  constructor(found, onChange) {
    this.#onChange = onChange;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#signIn();
    });
    byId('sign-in-cancel').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#form.reset());
    for (const button of document.querySelectorAll('.account-in')) button.addEventListener('click', () => this.#open());
    for (const button of document.querySelectorAll('.account-out')) button.addEventListener('click', () => this.#signOut());
    this.#set(found.user === undefined ? null : found);
    if (this.#who) this.#renew();
  }

  /** The name of the user who is signed in, as others see it; empty if nobody is. */
  get name() {
    return this.#who?.name ?? '';
  }

  /** The server refused something with `code`: asks to sign in if that may help. */
  refused(code) {
    if (!SIGN_IN_HELPS.has(code) || this.#dialog.open) return;
    this.#set(null);
    this.#open('sign_in_needed');
  }

  #open(reason = '') {
    say(byId('sign-in-why'), reason);
    this.#showProblem('');
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#user.focus();
  }

  async #signIn() {
    const [user, password] = [this.#user.value.trim(), this.#password.value];
    this.#showProblem('');
    if (!user || !password) return this.#refuse(user ? this.#password : this.#user, 'sign_in_incomplete');
    try {
      const answer = await request('POST', 'api/login', { user, password });
      this.#set(answer);
      this.#renewIn(answer.expires_in_s);
      this.#dialog.close();
      this.#onChange('in');
    } catch (error) {
      this.#refuse(this.#password, 'as_it_is', { text: () => errorWords(error) });
    }
    return undefined;
  }

  async #signOut() {
    await request('POST', 'api/logout').catch(() => {});
    clearTimeout(this.#renewal);
    this.#set(null);
    this.#onChange('out');
  }

  /** Has the session renewed for as long as the page is open. */
  async #renew() {
    try {
      this.#renewIn((await request('POST', 'api/refresh')).expires_in_s);
    } catch (error) {
      // Without a network the next attempt may succeed; a refusal means that the session has ended.
      if (error.code === undefined) this.#renewIn(0);
      else this.#set(null);
    }
  }

  #renewIn(expiresInS) {
    clearTimeout(this.#renewal);
    const delayMs = Math.min(Math.max((expiresInS * 1000) / 2, RENEW_AT_LEAST_MS), RENEW_AT_MOST_MS);
    this.#renewal = setTimeout(() => this.#renew(), delayMs);
  }

  #set(who) {
    this.#who = who;
    for (const place of document.querySelectorAll('.account')) {
      place.hidden = false;
      place.querySelector('.account-in').hidden = who !== null;
      place.querySelector('.account-out').hidden = who === null;
      say(place.querySelector('.account-who'), who ? 'signed_in_as' : '', { name: this.name });
    }
    // What others see is the account's name.
    byId('join-name').readOnly = who !== null;
  }

  #refuse(field, key, values) {
    this.#showProblem(key, values);
    field.select();
    field.focus();
  }

  #showProblem(key, values) {
    say(this.#problem, key, values);
    for (const field of [this.#user, this.#password]) field.setAttribute('aria-invalid', String(key !== ''));
  }
}

/** @returns {Promise<object|undefined>} the answer's JSON @throws {Error} with the `code` of the server's refusal, if it is one */
async function request(method, path, body) {
  const init = body ? { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } } : {};
  const answer = await fetch(path, { method, cache: 'no-store', ...init });
  const json = await answer.json().catch(() => undefined);
  if (!answer.ok) throw Object.assign(new Error(json?.error?.message ?? `${path} was answered with ${answer.status}`), { code: json?.error?.code });
  return json;
}
