import { relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createOutput } from '../tools/output';
import { printTable, type Goal } from './harness/goals';
import { writeResult } from './harness/results';
import { openSystem } from './harness/system';
import { audit } from './scenarios/audit';
import { cores } from './scenarios/cores';
import { flashSale } from './scenarios/flash-sale';
import { life } from './scenarios/life';
import { overload } from './scenarios/overload';
import { place } from './scenarios/place';
import { reads } from './scenarios/reads';
import type { Scenario } from './scenarios/scenario';
import { soak } from './scenarios/soak';
import { storage } from './scenarios/storage';
import { telemetry } from './scenarios/telemetry';
import { workers } from './scenarios/workers';

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  place,
  'flash-sale': flashSale,
  overload,
  life,
  reads,
  workers,
  cores,
  storage,
  telemetry,
  audit,
  soak,
};
const ROUNDS = 5;
const SECONDS = 4;
/** `--quick` is for work on the bench itself. */
const QUICK = { rounds: 1, seconds: 2 };
const QUICKLY = '--quick';
const SETTLE_MS = 2_000;

/**
 * `npm run bench [-- scenario … --quick]`: measures on its own servers, and exits with 1 if a goal is missed.
 */
async function main(): Promise<void> {
  const output = createOutput();
  const args = process.argv.slice(2);
  const isQuick = args.includes(QUICKLY);
  const options = isQuick ? QUICK : { rounds: ROUNDS, seconds: SECONDS };
  const chosen = args.filter((word) => word !== QUICKLY);
  const unknown = chosen.filter((name) => !Object.hasOwn(SCENARIOS, name));
  if (unknown.length > 0)
    throw new Error(
      `There is no scenario ${unknown.join(', ')}. Choose from ${Object.keys(SCENARIOS).join(', ')}; ${QUICKLY} is the only option.`,
    );
  let folder = '';
  const goals: Goal[] = [];
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    output.line(`== ${name}`);
    const system = await openSystem(output);
    try {
      const result = await scenario(system, options);
      folder = await writeResult(result, { ...options, isQuick, serverVersions: system.serverVersions });
      goals.push(...result.goals);
    } finally {
      await system.close();
    }
    await delay(SETTLE_MS);
  }
  printTable(goals);
  output.line(`Tables, charts and figures are in ${relative(process.cwd(), folder)}.`);
  if (!goals.every(({ met }) => met)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
