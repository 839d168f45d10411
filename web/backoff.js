// When to try again: exponential back-off with full jitter, so that a room full of tabs does not come back at one instant.

export const BASE_MS = 500;
export const CAP_MS = 30_000;

/**
 * The wait before a retry, in milliseconds: evenly spread over 0 … min(CAP_MS, BASE_MS · 2^attempt).
 * @param {number} attempt retries since the last stable connection, from 0
 * @param {() => number} random a number in [0, 1)
 */
export function retryDelay(attempt, random = Math.random) {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** attempt);
  return Math.floor(random() * ceiling);
}
