import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { relative } from 'node:path';
import { currentCommit } from '../../bench/harness/results';
import { createOutput, secondsSince } from '../output';
import { SetupError } from '../project';
import { readChaosOptions } from './options';
import { createProgress } from './progress';
import { keepRun, runWithoutEnd } from './report';
import { SCENARIOS } from './scenarios';

/** `npm run chaos`: disturbs a whole system, and fails if anything wrong is found in it afterwards. */
async function main(): Promise<boolean> {
  const output = createOutput();
  const { scenarios, seeds, minutes, isShort, keepIn } = readChaosOptions(
    process.argv.slice(2),
    Object.keys(SCENARIOS),
  );
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // every fault that is still to come waits for it
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => stopping.abort(new SetupError(`ended by ${name}`)));
  if (keepIn !== undefined) await mkdir(keepIn, { recursive: true });
  let isGood = true;
  for (const name of scenarios) {
    const scenario = SCENARIOS[name]!;
    for (const seed of seeds) {
      const start = Date.now();
      const at = new Date(start).toISOString();
      const commit = currentCommit();
      const [before] = loadavg() as [number];
      output.line(`== ${name}, seed ${seed}: ${scenario.about}`);
      const run = await scenario
        .run({ seed, minutes, output, progress: createProgress(), signal: stopping.signal, keepIn })
        .catch((error: unknown) => {
          if (stopping.signal.aborted) throw error;
          // Whatever keeps one run of a night from its end, the next one begins anew.
          output.line(error instanceof Error ? error.stack! : String(error));
          return runWithoutEnd({ seed, minutes }, error);
        });
      const load = { before, after: loadavg()[0]! };
      const file = await keepRun(name, { at, commit, load, ...run }, { isShort });
      for (const { kind, subject, expected, found } of run.findings)
        output.line(`FOUND ${kind} ${subject}: expected ${expected}, found ${found}`);
      output.line(
        `${name}, seed ${seed}: ${run.findings.length} findings after ${secondsSince(start)}; see ${relative(process.cwd(), file)}`,
      );
      isGood &&= run.findings.length === 0;
    }
  }
  return isGood;
}

main()
  .then((isGood) => process.exit(isGood ? 0 : 1))
  .catch((error: unknown) => {
    console.error(error instanceof SetupError ? `npm run chaos: ${error.message}` : error);
    process.exit(1);
  });
