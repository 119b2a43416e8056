import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { startServers } from '../tools/devstack';
import { createOutput } from '../tools/output';
import { freePorts } from '../tools/devstack/ports';
import { runOnce, startApi, type AppOptions } from '../tools/devstack/app-processes';
import { attacks, type Attack } from './edge/attacks';
import { slowSocketsLeaveOthersAlone } from './edge/latency';
import { onlySoManyRequests } from './edge/limit';
import { repeat } from './edge/tally';
import { worstRequests } from './edge/worst';
import { environmentOf, PREFIX, UNLIMITED } from './harness/environment';
import { printTable, type Goal } from './harness/goals';
import { memoryOf, watchMemory } from './harness/memory';
import { writeResult } from './harness/results';

const MAX_GROWTH_MB = 50;
const BUSY_REQUESTS = 10_000;
const BUSY_CLIENTS = 20;
const SETUP_MS = 120_000;
const STOP_MS = 20_000;

type Measure = (url: string, pid: number, env: NodeJS.ProcessEnv) => Promise<Goal[]>;

/**
 * `npm run bench:edge`: measures what a hostile internet costs one API process, on real servers on loopback,
 * bounded in count and time. Exits with 1 if a goal is missed. Words after `--` choose measurements, whose results are
 * not kept: `-- gzip JSON`.
 */
async function main(): Promise<void> {
  const output = createOutput();
  const logFolder = await mkdtemp(join(tmpdir(), 'orders-management-system-bench-'));
  const servers = await startServers({ output });
  const goals: Goal[] = [];
  const chosen = process.argv.slice(2);
  const print = (line: string) => output.line(line);
  const measure = async (what: string, env: NodeJS.ProcessEnv, work: Measure) => {
    if (chosen.length > 0 && !chosen.some((word) => what.includes(word))) return;
    print(`measuring: ${what} …`);
    const options = { logFolder, print, env: { ...environmentOf(servers), ...env } };
    goals.push(...(await withApi(options, work)));
  };
  try {
    await measure('the rate limit', {}, onlySoManyRequests);
    await measure('the worst requests', UNLIMITED, worstRequests);
    await measure('slow sockets beside others', UNLIMITED, slowSocketsLeaveOthersAlone);
    for (const attack of attacks) await measure(attack.what, UNLIMITED, memoryUnder(attack));
  } finally {
    await servers.stop();
    await rm(logFolder, { recursive: true, force: true });
  }
  printTable(goals);
  const result = { scenario: 'edge', tables: [], goals };
  const effort = { rounds: 1, seconds: Math.round(performance.now() / 1_000), serverVersions: {} };
  const folder = await writeResult(result, { ...effort, isQuick: chosen.length > 0 });
  print(`The table is in ${relative(process.cwd(), folder)}.`);
  if (!goals.every(({ met }) => met)) process.exitCode = 1;
}

/** Runs a measurement on its own process, so that none inherits the memory of another. */
async function withApi(options: AppOptions, work: Measure): Promise<Goal[]> {
  const [port] = (await freePorts(1)) as [number];
  const env = { ...options.env, PORT: String(port) };
  const url = `http://127.0.0.1:${port}${PREFIX}`;
  await runOnce('setup', { ...options, env }, AbortSignal.timeout(SETUP_MS));
  const api = await startApi(url, { ...options, env });
  try {
    return await work(url, api.pid!, env);
  } finally {
    await api.stop(STOP_MS);
  }
}

/** Measures by how much the process grows beyond its memory under ordinary requests. */
function memoryUnder({ what, times, expected, run }: Attack): Measure {
  return async (url, pid) => {
    await beBusy(url);
    const before = await memoryOf(pid);
    const { result, peakMb } = await watchMemory(pid, () => run(url, times));
    const grown = peakMb - before;
    const sizes = `${before.toFixed(0)} → ${peakMb.toFixed(0)} MB at most`;
    return [
      {
        what: `memory growth under ${times} × ${what}`,
        goal: `< ${MAX_GROWTH_MB} MB, all ${expected}`,
        measured: `${grown.toFixed(1)} MB (${sizes}), ${JSON.stringify(result)}`,
        met: grown < MAX_GROWTH_MB && result[expected] === times,
      },
    ];
  };
}

async function beBusy(url: string): Promise<void> {
  const json = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"email":"nobody"}',
  };
  await repeat(BUSY_REQUESTS, BUSY_CLIENTS, async (n) => {
    const response = await (n % 2 === 0
      ? fetch(`${url}/product-services`)
      : fetch(`${url}/auth/login`, json));
    await response.arrayBuffer();
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
