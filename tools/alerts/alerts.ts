import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readRules } from '../deploy/queries';
import { until } from '../devstack/until';
import { createOutput } from '../output';
import { removeFolder } from '../owned-folder';
import { findPrometheus } from '../prometheus';
import { messageOf, SetupError } from '../project';
import { faultsOf, type Fault } from './faults';
import { startObservedStack } from './observed-stack';
import { startPrometheus, type PrometheusServer } from './prometheus-server';

/** After so long an alert does not come, or stay. */
const LATE_MS = 6 * 60_000;
const PAUSE_MS = 250;
/** Errors of their budgets last longer than a fault. */
const OBJECTIVES = new Set(['PlacingNotAnswered', 'PlacingSlow', 'SettlingLate', 'WebhooksLate']);

interface Outcome {
  fault: Fault;
  /** How many times each alert began to fire. */
  rises: Map<string, number>;
  firedAfterS?: number;
  clearedAfterS?: number;
  mistake?: string;
}

const output = createOutput();

/**
 * Starts Prometheus with the real rules, only with shorter windows, and a real stack; makes one fault after the other, and
 * sees whether its alert fires once and clears. Names of alerts as arguments make only their faults.
 */
async function main(only: readonly string[]): Promise<void> {
  const { prometheus } = await findPrometheus(process.env, output);
  const folder = await mkdtemp(join(tmpdir(), 'orders-alerts-'));
  const stack = await startObservedStack(folder, output);
  let server: PrometheusServer | undefined;
  try {
    server = await startPrometheus(prometheus, join(folder, 'prometheus'), stack.metricsPorts);
    const watch = watchAlerts(server);
    const outcomes: Outcome[] = [];
    const faults = faultsOf({ stack, ...(await stack.signIn()) });
    for (const fault of faults.filter(({ alert }) => only.length === 0 || only.includes(alert)))
      outcomes.push(await tried(fault, watch));
    output.line(`\n${reportOf(outcomes)}`);
    process.exitCode = outcomes.some(({ mistake }) => mistake) ? 1 : 0;
    watch.stop();
  } finally {
    await server?.stop();
    await stack.stop();
    await removeFolder(folder);
  }
}

type Watch = ReturnType<typeof watchAlerts>;

/** Follows which alerts fire, and counts how often each began to. */
function watchAlerts(server: PrometheusServer) {
  let firing = new Set<string>();
  let rises = new Map<string, number>();
  let isStopped = false;
  const follow = async (): Promise<void> => {
    while (!isStopped) {
      const now = await server.firing().catch(() => firing);
      for (const name of now) if (!firing.has(name)) rises.set(name, (rises.get(name) ?? 0) + 1);
      firing = now;
      await delay(PAUSE_MS);
    }
  };
  void follow();
  return {
    begin: () => void (rises = new Map()),
    rises: () => new Map(rises),
    fires: (name: string) => firing.has(name),
    isQuiet: () => [...firing].every((name) => OBJECTIVES.has(name)),
    firing: () => [...firing],
    stop: () => void (isStopped = true),
  };
}

async function tried(fault: Fault, watch: Watch): Promise<Outcome> {
  const { alert, name } = fault;
  const outcome: Outcome = { fault, rises: new Map() };
  const isThat = (holds: () => boolean, work?: () => Promise<unknown>) =>
    until(
      LATE_MS,
      async () => {
        void work?.().catch(() => undefined); // what is asked of a stack with a fault may fail
        return holds() || undefined;
      },
      () => new Error(`firing are only ${watch.firing().join(', ') || 'none'}`),
      undefined,
      PAUSE_MS,
    );
  output.line(`${alert}: ${name} …`);
  await isThat(watch.isQuiet);
  watch.begin();
  try {
    const start = Date.now();
    await fault.inject();
    await isThat(() => watch.fires(alert), fault.keepOn);
    outcome.firedAfterS = secondsSince(start);
  } catch (error) {
    outcome.mistake = `does not fire: ${messageOf(error)}`;
  }
  const healing = Date.now();
  try {
    await fault.heal();
    await isThat(watch.isQuiet);
    outcome.clearedAfterS = secondsSince(healing);
  } catch (error) {
    outcome.mistake ??= `does not clear: ${messageOf(error)}`;
  }
  outcome.rises = watch.rises();
  const times = outcome.rises.get(alert) ?? 0;
  if (times > 1) outcome.mistake ??= `fires ${times} times`;
  output.line(`${alert}: ${outcome.mistake ?? 'fired once and cleared'}`);
  return outcome;
}

const secondsSince = (start: number): number => Math.round((Date.now() - start) / 1_000);

function reportOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ fault, rises, firedAfterS, clearedAfterS, mistake }) => {
    const others = [...rises.keys()].filter((name) => name !== fault.alert);
    return `| ${[
      fault.name,
      fault.alert,
      firedAfterS ?? '–',
      clearedAfterS ?? '–',
      others.join(', ') || 'none',
      mistake ?? 'fired once and cleared',
    ].join(' | ')} |`;
  });
  const seen = new Set(outcomes.flatMap(({ rises }) => [...rises.keys()]));
  const names = new Set(readRules().flatMap(({ alert }) => alert ?? []));
  const unseen = [...names].filter((name) => !seen.has(name));
  return [
    '# Alerts under faults made on purpose',
    '',
    'Prometheus and the real stack, with windows 20 times shorter (objectives: 60 times).',
    '',
    '| Fault | Alert | Fired after, s | Cleared after, s | Others that fired | Result |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Not provoked here, but tried by promtool: ${unseen.join(', ') || 'none'}.`,
    '',
  ].join('\n');
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof SetupError ? `npm run alerts: ${error.message}` : error);
  process.exitCode = 1;
});
