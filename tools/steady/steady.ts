import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT } from '../project';
import { createLimitedGroup } from './limited-group';
import { watchMemory } from './memory';

const USAGE = `npm run test:steady [-- --runs N] [--cores C]

Runs the tests again and again, to show that no outcome depends on how fast the machine is: N times as it is
(default 20), then once on one core and once on half of one. With --cores, it runs them N times (default 1) on
that many cores. Limiting the cores takes Linux and root.`;

/** A Jest process that is larger at its end has a leak. */
const MOST_MEGABYTES = 1_200;

interface Outcome {
  /** Undefined stands for all. */
  cores?: number;
  result: string;
  minutes: number;
  /** Of the largest Jest process at its end. */
  megabytes?: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { runs: { type: 'string' }, cores: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return console.log(USAGE);
  const outcomes: Outcome[] = [];
  for (const cores of planOf(values)) {
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
  const start = performance.now();
  const jest = spawn(process.execPath, [join(PROJECT_ROOT, 'node_modules/jest/bin/jest.js')], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  group?.add(jest.pid!); // Jest starts its processes much later
  const memory = watchMemory(jest.pid!);
  const [code] = (await once(jest, 'exit')) as [number | null];
  const minutes = (performance.now() - start) / 60_000;
  const megabytes = memory.stop();
  await group?.remove();
  return { cores, result: resultOf(code, megabytes), minutes, megabytes };
}

function resultOf(code: number | null, megabytes = 0): string {
  if (code !== 0) return `failed (${code})`;
  return megabytes > MOST_MEGABYTES ? 'grew too large' : 'passed';
}

function tableOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ cores = 'all', result, minutes, megabytes }, index) =>
    row(index + 1, cores, result, minutes.toFixed(1), megabytes?.toFixed(0) ?? 'not measured'),
  );
  const head = row('Run', 'Cores', 'Result', 'Minutes', 'Largest Jest process at its end, MB');
  return [head, row('---', '---', '---', '---', '---'), ...rows].join('\n');
}

function row(...cells: (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

void main();
