import { setMaxListeners } from 'node:events';
import { Agent, request } from 'node:http';
import type { Goal } from '../harness/goals';
import { quantile } from '../harness/stats';
import { repeat } from './tally';
import { dripFrom } from './slow-clients';

const ROUNDS = 6;
const REQUESTS_PER_ROUND = 2_000;
const CLIENTS = 10;
const SLOW_SOCKETS = 100;

/**
 * Measures what 100 slow connections do to other callers: rounds with and without them alternate on the same
 * machine.
 */
export async function slowSocketsLeaveOthersAlone(url: string): Promise<Goal[]> {
  const usual: number[] = [];
  const beside: number[] = [];
  await round(url); // warms up
  for (let n = 0; n < ROUNDS; n++) {
    usual.push(...(await round(url)));
    const end = new AbortController();
    setMaxListeners(0, end.signal);
    const slow = keepSlow(url, end.signal);
    beside.push(...(await round(url)));
    end.abort();
    await slow;
  }
  const [before, after] = [quantile(usual, 0.99), quantile(beside, 0.99)];
  return [
    {
      what: `p99 beside ${SLOW_SOCKETS} slow sockets (${ROUNDS} × ${REQUESTS_PER_ROUND} requests each way, in turns)`,
      goal: '< 2 × the usual',
      measured: `${after.toFixed(1)} ms, usually ${before.toFixed(1)} ms: ${(after / before).toFixed(2)} ×`,
      met: after < 2 * before,
    },
  ];
}

/** Keeps slow connections open: the server closes each after a while, and another takes its place. */
async function keepSlow(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await dripFrom(url, SLOW_SOCKETS, {}, signal);
}

async function round(url: string): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const times: number[] = [];
  await repeat(REQUESTS_PER_ROUND, CLIENTS, async () => {
    const start = performance.now();
    await read(`${url}/product-services`, agent);
    times.push(performance.now() - start);
  });
  agent.destroy();
  return times;
}

function read(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} returns ${response.statusCode}`));
      response.resume().on('end', resolve);
    });
    sent.on('error', reject).end();
  });
}
