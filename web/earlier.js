// Finds the messages before the first one that is shown. No DOM.
//
// The server is asked for more of the last messages than are shown, and answers with the oldest of them first: what comes
// before the first one shown is what is wanted.

import { isCovered } from './roomcast/cursor.js';

const STEP = 51; // one more than the first half of the 100 that a room keeps by default: tells at once that it was all
const ANSWERS_MAX = 60; // an answer has at most 128 KiB; fifty pictures take no more than that

/**
 * @param {(from: {history?: number, since?: string}) => Promise<{messages: object[], cursor: string}>} past asks the server
 * @param {string} earliest cursor of the first message that is shown
 * @param {number} shown how many messages are
 * @returns {Promise<{messages: object[], isAll: boolean}>} `isAll`: the room keeps none before these
 */
export async function earlierMessages(past, earliest, shown) {
  const messages = [];
  let from = { history: shown + STEP };
  for (let i = 0; i < ANSWERS_MAX; i += 1) {
    const answer = await past(from);
    for (const message of answer.messages) {
      const isOlder = isCovered(message.cursor, earliest) && message.cursor !== earliest;
      // Another epoch is another room of that name: nothing of it was before.
      if (!isOlder) return { messages, isAll: messages.length < STEP };
      messages.push(message);
    }
    if (answer.messages.length === 0) break;
    from = { since: answer.cursor };
  }
  return { messages, isAll: messages.length < STEP };
}

/** Whether something was said before the place of `cursor` that the room no longer keeps. @param {string} cursor of its first message */
export const hasForgotten = (cursor) => !/-1$/.test(cursor);

/** Whether something had been said up to `cursor`, that of a room which keeps nothing. */
export const hasSpoken = (cursor) => !/-0$/.test(cursor);
