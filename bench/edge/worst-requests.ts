/** A request that has to be refused, and must cost little. */
export interface WorstRequest {
  what: string;
  path: string;
  /** JSON, which is posted. */
  body?: string;
  /** The status that it must get. */
  expected: number;
}

const BODY_BYTES = 95_000;

const marks = '\u0301\u0323'.repeat(BODY_BYTES / 4);
const names = (of: number) => Array.from({ length: of }, (_, n) => n.toString(36));
const login = (fields: object) => ({ path: '/auth/login', body: JSON.stringify(fields) });

const orderOf = (lines: string) => ({ path: '/orders', body: `{"items":[${lines}]}` });
const repeated = (text: string, times: number) => Array<string>(times).fill(text).join();

/** What once stopped a process for up to two seconds, or drew megabytes out of it. */
export const WORST_REQUESTS: readonly WorstRequest[] = [
  { what: 'combining marks as an e-mail', ...login({ email: `a${marks}`, password: 'x' }), expected: 400 },
  {
    what: 'combining marks as a password',
    ...login({ email: 'a@b.example', password: marks }),
    expected: 400,
  },
  { what: '11 000 unknown keys', path: '/auth/login', body: keysOf(11_000), expected: 413 },
  { what: '1 900 unknown keys', path: '/auth/login', body: keysOf(1_900), expected: 400 },
  { what: 'a key of 90 kB', ...login({ ['k'.repeat(90_000)]: 1 }), expected: 400 },
  { what: '31 000 empty arrays', path: '/auth/login', body: `[${'[],'.repeat(31_000)}[]]`, expected: 413 },
  { what: '4 200 names of a query', path: `/health?${names(4_200).join('&')}`, expected: 400 },
  { what: '32 000 empty lines of an order', ...orderOf(repeated('{}', 32_000)), expected: 413 },
  { what: '900 wrong lines of an order', ...orderOf(repeated('{"a":1}', 900)), expected: 400 },
];

function keysOf(of: number): string {
  return JSON.stringify(Object.fromEntries(names(of).map((name) => [name, 0])));
}
