import { newId } from '../../src/common/ids';
import { loadConfig } from '../../src/config';
import { createJwt } from '../../src/jwt/jwt';
import { cpuOf } from '../harness/cpu';
import type { Goal } from '../harness/goals';
import { count, repeat, type Tally } from './tally';
import { WORST_REQUESTS, type WorstRequest } from './worst-requests';

/** Enough for a clock of hundredths of a second to tell what one costs. */
const TIMES = 200;
const MAX_CPU_MS = 20;
const MAX_ANSWER_BYTES = 64_000;

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
  for (const worst of WORST_REQUESTS)
    goals.push(await measure(url, pid, worst, worst.path === '/orders' ? headers : {}));
  return goals;
}

/** @param more headers that it is sent with */
async function measure(
  url: string,
  pid: number,
  { what, path, body, expected }: WorstRequest,
  more: Record<string, string>,
): Promise<Goal> {
  const tally: Tally = {};
  let longest = 0;
  const headers = { 'Content-Type': 'application/json', ...more };
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
