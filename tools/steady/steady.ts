import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT } from '../project';
import { createLimitedGroup } from './limited-group';
import { watchMemory, type Memory } from './memory';

const USAGE = `npm run test:steady [-- --runs N] [--cores C]

Runs the tests again and again, to show that no outcome depends on how fast the machine is: N times as it is
(default 20), then once on one core and once on half of one. With --cores, it runs them N times (default 1) on
that many cores. Limiting the cores takes Linux and root.`;

/** A process that is larger at its end has a leak. */
const MOST_MEGABYTES = 1_200;

interface Outcome {
  /** Undefined stands for all. */
  cores?: number;
  seed: number;
  result: string;
  minutes: number;
  memory?: Memory;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { runs: { type: 'string' }, cores: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return console.log(USAGE);
  const plan = planOf(values);
  // Fails now where the cores cannot be limited, and not after hours.
  if (plan.some((cores) => cores !== undefined)) await createLimitedGroup(1).remove();
  const outcomes: Outcome[] = [];
  for (const cores of plan) {
    outcomes.push(await runTests(cores));
    console.log(`\n${tableOf(outcomes)}\n`);
  }
  process.exitCode = outcomes.every(({ result }) => result === 'passed') ? 0 : 1;
}

/** Returns the cores of each run. */
function planOf(given: { runs?: string; cores?: string }): (number | undefined)[] {
  const cores = given.cores === undefined ? undefined : Number(given.cores);
  const runs = Number(given.runs ?? (cores === undefined ? 20 : 1));
  if (!Number.isInteger(runs) || runs < 1 || (cores !== undefined && !(cores > 0))) throw new Error(USAGE);
  const repeated = Array.from({ length: runs }, () => cores);
  return cores === undefined ? [...repeated, 1, 0.5] : repeated;
}

async function runTests(cores: number | undefined): Promise<Outcome> {
  const group = cores === undefined ? undefined : createLimitedGroup(cores);
  const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31));
  const start = performance.now();
  const jest = spawn(process.execPath, [join(PROJECT_ROOT, 'node_modules/jest/bin/jest.js')], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, TEST_SEED: String(seed) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  group?.add(jest.pid!); // Jest starts its processes much later
  const watched = watchMemory(jest.pid!);
  const [code] = (await once(jest, 'exit')) as [number | null];
  const minutes = (performance.now() - start) / 60_000;
  const memory = watched.stop();
  await group?.remove();
  return { cores, seed, result: resultOf(code, memory), minutes, memory };
}

function resultOf(code: number | null, memory?: Memory): string {
  if (code !== 0) return `failed (${code})`;
  return Math.max(0, ...Object.values(memory ?? {})) > MOST_MEGABYTES ? 'grew too large' : 'passed';
}

function tableOf(outcomes: readonly Outcome[]): string {
  const sizes = ['Jest', 'Largest process of test files', 'Largest shared worker'];
  const head = [
    'Run',
    'Cores',
    'Seed',
    'Result',
    'Minutes',
    ...sizes.map((what) => `${what}, MB at its end`),
  ];
  const rows = outcomes.map(({ cores = 'all', seed, result, minutes, memory }, index) => {
    const megabytes = memory && [memory.jest, memory.testFiles, memory.sharedWorker];
    const shown = megabytes?.map((size) => size.toFixed(0)) ?? sizes.map(() => 'not measured');
    return row(index + 1, cores, seed, result, minutes.toFixed(1), ...shown);
  });
  return [row(...head), row(...head.map(() => '---')), ...rows].join('\n');
}

function row(...cells: (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

void main();
