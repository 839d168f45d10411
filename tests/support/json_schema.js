// JSON Schema 2020-12, as far as the documents of docs/ use it. An unknown keyword is an error, because it would not be
// checked.

const annotations = new Set(['description', 'example', 'examples', 'format', 'title']);

const kind_of = (value) => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
};
const is_object = (value) => kind_of(value) === 'object';
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const is_kind = (value, type) => kind_of(value) === type || (type === 'number' && kind_of(value) === 'integer');

/** The value that `reference` (`#/a/b`) points to in `document`. */
export const resolve = (document, reference) => reference.slice(2).split('/').reduce((at, key) => {
  const next = at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')];
  if (next === undefined) throw new Error(`${reference} leads nowhere`);
  return next;
}, document);

/** `value`, or what it refers to if it is a `$ref`. */
export const followed = (document, value) => (value?.$ref ? followed(document, resolve(document, value.$ref)) : value);

/** For each keyword, the faults of a value: `(its argument, value, check(schema, value, place) → faults, place) → faults`. */
const keywords = {
  type: (types, value) => ([types].flat().some((type) => is_kind(value, type)) ? [] : [`is ${kind_of(value)}, not ${types}`]),
  const: (wanted, value) => (same(wanted, value) ? [] : [`is not ${JSON.stringify(wanted)}`]),
  enum: (wanted, value) => (wanted.some((one) => same(one, value)) ? [] : [`is none of ${wanted}`]),
  pattern: (pattern, value) => (typeof value !== 'string' || new RegExp(pattern, 'u').test(value) ? [] : [`does not match ${pattern}`]),
  minimum: (least, value) => (typeof value !== 'number' || value >= least ? [] : [`is below ${least}`]),
  minItems: (least, value) => (!Array.isArray(value) || value.length >= least ? [] : [`has fewer than ${least} items`]),
  uniqueItems: (unique, value) => (!unique || !Array.isArray(value) || new Set(value.map((one) => JSON.stringify(one))).size === value.length ? [] : ['has an item twice']),
  required: (names, value) => (is_object(value) ? names.filter((name) => !(name in value)).map((name) => `lacks ${name}`) : []),
  properties: (properties, value, check, place) => (is_object(value)
    ? Object.entries(properties).flatMap(([name, schema]) => (name in value ? check(schema, value[name], `${place}.${name}`) : [])) : []),
  maxProperties: (most, value) => (!is_object(value) || Object.keys(value).length <= most ? [] : [`has more than ${most} members`]),
  // Of an object without named properties.
  additionalProperties: (schema, value, check, place) => (is_object(value)
    ? Object.entries(value).flatMap(([name, member]) => check(schema, member, `${place}.${name}`)) : []),
  items: (schema, value, check, place) => (Array.isArray(value) ? value.flatMap((item, index) => check(schema, item, `${place}[${index}]`)) : []),
  allOf: (schemas, value, check, place) => schemas.flatMap((schema) => check(schema, value, place)),
  oneOf: (schemas, value, check, place) => {
    const faults = schemas.map((schema) => check(schema, value, place));
    const fitting = faults.filter((each) => each.length === 0).length;
    return fitting === 1 ? [] : [`fits ${fitting} of oneOf: ${JSON.stringify(faults)}`];
  },
};

/**
 * The faults of `value` by `schema` of `document`, as lines; empty if valid. With `closed`, members that the schema does not
 * list are faults too, if it lists any: every member that a server sends must be described.
 */
export function faultsOf(document, schema, value, { closed = false, place = '$' } = {}) {
  const known = new Set();
  const open = new Set();
  const check = (part, at_value, at) => {
    if (part.$ref) return check(resolve(document, part.$ref), at_value, at);
    const faults = Object.entries(part).flatMap(([keyword, argument]) => {
      if (annotations.has(keyword)) return [];
      if (!keywords[keyword]) throw new Error(`${at}: no check for the keyword ${keyword}`);
      return keywords[keyword](argument, at_value, check, at).map((fault) => (fault.startsWith('$') ? fault : `${at} ${fault}`));
    });
    if (part.properties && is_object(at_value)) {
      for (const name of Object.keys(at_value)) open.add(`${at}.${name}`);
      for (const name of Object.keys(part.properties)) known.add(`${at}.${name}`);
    }
    return faults;
  };
  const faults = check(schema, value, place);
  return closed ? [...faults, ...[...open].filter((name) => !known.has(name)).map((name) => `${name} is not described`)] : faults;
}
