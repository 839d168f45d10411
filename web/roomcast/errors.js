// What went wrong, with a stable code to decide on.

export class RoomcastError extends Error {
  /**
   * @param {string} code stable, snake_case: the server's own, or one of docs/client.md
   * @param {string} message for people
   * @param {object} [details] joins the error: `maybePublished` on a publish whose fate is unknown, `status` of an HTTP answer
   */
  constructor(code, message, details = {}) {
    super(message);
    this.name = 'RoomcastError';
    this.code = code;
    Object.assign(this, details);
  }
}

/** Statuses that say "not now" rather than "no" (RFC 9110 section 15, RFC 8470, RFC 6585). */
const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * An HTTP answer that is no success, as an error. `ours`: it has the form of the server's own errors, so it is no word of a
 * proxy or a captive portal; `temporary`: asking again later makes sense; `retryMs`: when, if it said so.
 * @param {Response} response
 */
export async function refusalOf(response) {
  const body = await response.json().catch(() => null);
  const ours = typeof body?.error?.code === 'string';
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  return new RoomcastError(ours ? body.error.code : `http_${response.status}`, ours ? body.error.message : `The answer was ${response.status}.`, {
    status: response.status,
    ours,
    temporary: TEMPORARY.has(response.status),
    retryMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}
