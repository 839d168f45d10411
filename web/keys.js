// What a key means. Pure.

/**
 * Whether an input method has the key, to compose or to pick a candidate: then it is no key of ours. Safari ends a composition
 * before it tells of the Enter that ended it, and only says 229 (UI Events, appendix A.3: legacy key attributes).
 * @param {KeyboardEvent} event
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;
