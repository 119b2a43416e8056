import type { JsonSchema } from '../../src/openapi/json-schema';

const NESTED = Array.from({ length: 20 }).reduce<unknown>((inner) => ({ $and: [inner] }), { $ne: null });

/** Values that every field rejects, whatever its type. They are raw JSON, because of `__proto__`. */
export const STRUCTURES: readonly string[] = [
  ...[
    { $ne: null },
    { $ne: 'x' },
    { $gt: '' },
    { $gte: 0 },
    { $lt: 'zzzz' },
    { $in: ['a', 'b', null] },
    { $nin: [] },
    { $exists: true },
    { $type: 2 },
    { $regex: '.*' },
    { $regex: '^(a+)+$', $options: 'i' },
    { $not: { $eq: 'x' } },
    { $or: [{}, { a: 1 }] },
    { $and: [{ $where: '1' }] },
    { $nor: [] },
    { $elemMatch: { $ne: null } },
    { $all: [] },
    { $size: 0 },
    { $mod: [2, 0] },
    { $where: 'sleep(5000) || true' },
    { $where: 'function () { return true }' },
    { $expr: { $eq: [1, 1] } },
    { $expr: { $function: { body: 'return true', args: [], lang: 'js' } } },
    { $jsonSchema: {} },
    { $set: { role: 'ADMIN' } },
    { $inc: { version: 1 } },
    { $rename: { role: 'status' } },
    { $oid: '000000000000000000000000' },
    { $date: '2026-01-01T00:00:00Z' },
    { $numberLong: '1' },
    { _bsontype: 'ObjectId', id: 'x' },
    { _bsontype: 'Code', code: 'return true' },
    { toString: 'x', valueOf: 1, toJSON: 1 },
    { length: 1, 0: 'x' },
    { 'a.b': 1 },
    { 'nested.$ne': null },
    { '': 1 },
    { constructor: { prototype: { isAdmin: true } } },
    { prototype: { isAdmin: true } },
    [{ $ne: null }],
    [[[]]],
    ['a', { $gt: '' }],
    [null],
    NESTED,
  ].map((value) => JSON.stringify(value)),
  '{"__proto__":{"isAdmin":true}}',
  '{"\\u005f_proto__":{"isAdmin":true}}',
  '[{"__proto__":null}]',
  '{"a":{"constructor":{"prototype":{"isAdmin":true}}}}',
];

/** Texts with a meaning for a database, a shell, a template or a file system. */
export const TEXTS: readonly string[] = [
  '{"$ne":null}',
  '{"$gt":""}',
  '[$ne]',
  '$where',
  "'; return true; var a='",
  "' || '1'=='1",
  '";sleep(5000);"',
  '.*',
  '^(a+)+$',
  '(',
  '[object Object]',
  '__proto__',
  'constructor',
  'constructor.prototype',
  'a.b',
  '$a',
  'a\0b',
  '\0',
  'a\r\nSet-Cookie: a=b',
  '\u202e',
  '\ufeff',
  '\u2028',
  '🙈'.repeat(5),
  '../../etc/passwd',
  '..\\..\\x',
  '%00',
  '%c0%ae',
  '${7*7}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '-1',
  '1e309',
  'NaN',
  'undefined',
  'null',
  'true',
  '2026-02-30',
  '2026-13-01T00:00:00Z',
  '',
  ' ',
  'x'.repeat(6_000),
];

/** Keys that no schema declares. */
export const KEYS: readonly string[] = [
  '$where',
  '$ne',
  '$expr',
  '$set',
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'a.b',
  'items.0.price',
  'items[0]',
  '$',
  '',
  '_id',
  '__v',
];

/** Functions of a parameter's name that return a manipulated query string. */
export const QUERIES: readonly ((name: string) => string)[] = [
  (name) => `${name}[$ne]=`,
  (name) => `${name}[$gt]=`,
  (name) => `${name}[$regex]=.*`,
  (name) => `${name}[$where]=1`,
  (name) => `${name}[]=a`,
  (name) => `${name}[0]=a`,
  (name) => `${name}[__proto__][a]=b`,
  (name) => `${name}.$ne=`,
  (name) => `${name}.constructor.prototype.a=b`,
  (name) => `${name}=a&${name}=b`,
  (name) => `${name}=1&${name}[$gt]=`,
  (name) => `${name.toUpperCase()}=a`,
  (name) => `$${name}=a`,
  (name) => `${name}%00=a`,
];

/** Query strings that no route knows, and that no browser or proxy adds. */
export const UNKNOWN_QUERIES: readonly string[] = [
  '__proto__=x',
  '__proto__[isAdmin]=true',
  '__proto__.isAdmin=true',
  'constructor=x',
  'constructor[prototype][isAdmin]=true',
  'constructor.prototype.isAdmin=true',
  'prototype=x',
  'hasOwnProperty=x',
  'toString=x',
  '$where=sleep(5000)',
  '$expr=1',
  '$ne',
  'a.b=c',
  'a[b]=c',
  '%zz=1',
  '%5f_proto__=x',
  '__proto__=x&__proto__=y',
];

/** Tells whether the document excludes a text from a field. An allowed text is not an attack. */
export function excludesText(schema: JsonSchema, text: string): boolean {
  const { type, pattern, format, maxLength, minLength } = schema as Record<string, string> & JsonSchema;
  const types = [type].flat();
  if (types.includes('boolean')) return text !== 'true' && text !== 'false';
  if (type !== undefined && !types.includes('string')) return true;
  if (schema.enum) return !(schema.enum as unknown[]).includes(text);
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(text)) return true;
  if (format !== undefined) return true; // none of the texts is an e-mail address or a time
  return text.length > Number(maxLength ?? Infinity) || text.length < Number(minLength ?? 0);
}
