// Time budgets. Everything that waits has a deadline; a build with sanitizers gets more of it.

const slowness = process.env.ROOMCAST_SLOW ? 4 : 1;

/** `n` seconds in milliseconds, stretched when ROOMCAST_SLOW is set. */
export const seconds = (n) => n * 1000 * slowness;

/** The budget for one ordinary wait. Generous: it is only used up when something is broken. */
export const patience = seconds(15);

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `promise` gives, or an error naming `what` when it takes longer than `ms`. */
export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks `check` again and again until it gives something truthy, for what has no event to wait for. */
export async function eventually(check, what, ms = patience) {
  const end = Date.now() + ms;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(20);
  }
}
