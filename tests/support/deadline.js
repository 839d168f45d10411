// Deadlines. Everything that waits has one; a build with sanitizers gets more time.

const slowness = process.env.ROOMCAST_SLOW ? 4 : 1;

/** `n` seconds in milliseconds, multiplied when ROOMCAST_SLOW is set. */
export const seconds = (n) => n * 1000 * slowness;

/** The deadline of an ordinary wait. Generous: it only expires when something is broken. */
export const patience = seconds(15);

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The result of `promise`, or an error naming `what` when it takes longer than `ms`. */
export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Calls `check` repeatedly until it returns something truthy, for conditions without an event. */
export async function eventually(check, what, ms = patience) {
  const end = Date.now() + ms;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(20);
  }
}
