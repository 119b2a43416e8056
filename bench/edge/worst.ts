import { newId } from '../../src/common/ids';
import { loadConfig } from '../../src/config';
import { createJwt } from '../../src/jwt/jwt';
import { cpuOf } from '../harness/cpu';
import type { Goal } from '../harness/goals';
import { count, repeat, type Tally } from './tally';

/** Enough for a clock of hundredths of a second to tell what one costs. */
const TIMES = 200;
const MAX_CPU_MS = 20;
const MAX_ANSWER_BYTES = 64_000;
const BODY_BYTES = 95_000;

interface Worst {
  what: string;
  path: string;
  body?: string;
  /** What else it is sent with. */
  headers?: Record<string, string>;
  /** The status that each request must get. */
  expected: number;
}

const marks = '\u0301\u0323'.repeat(BODY_BYTES / 4);
const names = (of: number) => Array.from({ length: of }, (_, n) => n.toString(36));
const login = (fields: object) => ({ path: '/auth/login', body: JSON.stringify(fields) });

const orderOf = (lines: string) => ({ path: '/orders', body: `{"items":[${lines}]}` });
const repeated = (text: string, times: number) => Array<string>(times).fill(text).join();

/** What once stopped a process for up to two seconds, or drew megabytes out of it. */
const WORST: readonly Worst[] = [
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

/**
 * Measures the processor time of the API for each of the worst requests of a customer, and the size of its answer.
 * @param env of the API
 */
export async function worstRequests(url: string, pid: number, env: NodeJS.ProcessEnv): Promise<Goal[]> {
  const customer = { id: newId('usr'), role: 'CUSTOMER', tokenVersion: 0, sessionId: 'bench' } as const;
  const authenticatedAt = Date.now() / 1_000;
  const { accessToken } = createJwt(loadConfig('api', env).jwt).issue({ ...customer, authenticatedAt });
  const headers = { Authorization: `Bearer ${accessToken}`, 'Idempotency-Key': 'worst' };
  const goals: Goal[] = [];
  for (const worst of WORST)
    goals.push(await measure(url, pid, worst.path === '/orders' ? { ...worst, headers } : worst));
  return goals;
}

async function measure(url: string, pid: number, worst: Worst): Promise<Goal> {
  const { what, path, body, expected } = worst;
  const tally: Tally = {};
  let longest = 0;
  const headers = { 'Content-Type': 'application/json', ...worst.headers };
  const send = async () => {
    const response = await fetch(url + path, body === undefined ? {} : { method: 'POST', headers, body });
    longest = Math.max(longest, (await response.arrayBuffer()).byteLength);
    count(tally, response.status);
  };
  await send(); // warms up
  const before = await cpuOf(pid);
  await repeat(TIMES, 1, send);
  const each = ((await cpuOf(pid)) - before) / TIMES;
  return {
    what: `processor time of each of ${TIMES} × ${what}`,
    goal: `≤ ${MAX_CPU_MS} ms, all ${expected}, answers below ${MAX_ANSWER_BYTES / 1_000} kB`,
    measured: `${each.toFixed(2)} ms, ${JSON.stringify(tally)}, ${(longest / 1_000).toFixed(1)} kB`,
    met: each <= MAX_CPU_MS && longest < MAX_ANSWER_BYTES && tally[expected] === TIMES + 1,
  };
}

function keysOf(of: number): string {
  return JSON.stringify(Object.fromEntries(names(of).map((name) => [name, 0])));
}
