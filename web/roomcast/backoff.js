// When to try again: exponential back-off with full jitter, so that a room full of tabs does not come back at one instant.

export const BASE_MS = 500;
export const CAP_MS = 30_000;
/** A page nobody looks at waits longer; it tries at once when it is looked at again. */
export const HIDDEN_FACTOR = 4;

/**
 * The wait before a retry, in milliseconds: evenly spread over 0 … min(CAP_MS, BASE_MS · 2^attempt).
 * @param {number} attempt retries since the last stable connection, from 0
 * @param {object} [options]
 * @param {boolean} [options.hidden] nobody looks at the page
 * @param {() => number} [options.random] a number in [0, 1)
 */
export function retryDelay(attempt, { hidden = false, random = Math.random } = {}) {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** attempt) * (hidden ? HIDDEN_FACTOR : 1);
  return Math.floor(random() * ceiling);
}

/**
 * The wait before the next try of a better transport: grows from `firstMs` to `capMs`, the upper half of it jittered.
 * @param {number} attempt tries that failed, from 0
 */
export function climbDelay(attempt, firstMs, capMs, random = Math.random) {
  return Math.min(capMs, firstMs * 2 ** attempt) * (0.5 + random() / 2);
}
