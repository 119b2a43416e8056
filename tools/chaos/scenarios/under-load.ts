import { join } from 'node:path';
import { createCaller } from '../clients/caller';
import { calls } from '../clients/calls';
import { createClients } from '../clients/clients';
import { openShop, STOCKED, type Shop } from '../clients/shop';
import type { Injected } from '../inject';
import { judge } from '../judge';
import { measureLag } from '../lag';
import { openCallLog, readCallLog, type CallRecord } from '../log';
import { callsOf, messagesOf, type Finding, type Run } from '../report';
import type { Rig } from '../rig/rig';
import { textOf, type Fault } from '../schedule';
import { settle } from '../settle';
import type { ScenarioOptions } from './scenario';

const CUSTOMERS = 4;
const STAFF = 3;
/** The bar of the second mode: everything that was accepted is settled so long after the last fault. */
const SETTLED_MS = 120_000;
const MOST_RE_READ = 200;

export interface Disturbance {
  /** Makes the faults, tells of each, and resolves when all have ended. */
  disturb(tell: (fault: Injected) => void, shop: Shop): Promise<void>;
  /** The APIs that clients ask, if not always all. */
  apis?: Rig['apis'];
  /** What the scenario itself looks at, in addition to the audit. */
  look?(
    records: readonly CallRecord[],
  ): Promise<{ findings?: Finding[]; figures: NonNullable<Run['figures']> }>;
}

/** Disturbs the rig while clients make their calls, heals it, and judges it when all is settled. */
export async function underLoad(
  rig: Rig,
  options: ScenarioOptions,
  { disturb, apis = rig.apis, look }: Disturbance,
): Promise<Run> {
  const { seed, minutes, output, progress, signal } = options;
  const lag = measureLag();
  const logFile = join(rig.folder, 'calls.jsonl');
  const log = openCallLog(logFile);
  const badAnswers: string[] = [];
  const onFault = (fault: string): void => void badAnswers.push(fault);
  const shop = await openShop(rig);
  const owner = createCaller({ client: 'owner', apis, log, deadline: () => Infinity, onFault });
  for (const [index, { id }] of shop.products.entries())
    await owner.call(calls.adjustStock(shop.admin, id, STOCKED[index]!));

  const clients = createClients({
    rig: { apis },
    shop,
    log,
    seed,
    customers: CUSTOMERS,
    staff: STAFF,
    onFault,
  });
  const told: { atS: number; fault: Injected }[] = [];
  const start = performance.now();
  const elapsedS = (): number => (performance.now() - start) / 1_000;
  const shown = setInterval(
    () =>
      progress.show(
        Math.min(1, elapsedS() / (minutes * 60)),
        `${clients.done} calls, ${clients.accepted.size} orders; ${told.at(-1)?.fault.text ?? ''}`,
      ),
    1_000,
  );
  try {
    clients.start();
    await disturb((fault) => void told.push({ atS: elapsedS(), fault }), shop);
    signal.throwIfAborted();
  } finally {
    clearInterval(shown);
    progress.end();
  }
  await rig.heal();
  output.line(`all faults have ended; ${clients.accepted.size} orders are to settle`);
  const [settlement] = await Promise.all([
    settle(rig, [...clients.accepted.keys()], { limitMs: SETTLED_MS, signal }),
    clients.finish(SETTLED_MS),
  ]);
  await rig.ready();
  for (const id of [...clients.accepted.keys()].slice(-MOST_RE_READ))
    await owner.call(calls.read(shop.admin, id));
  for (const { id } of shop.products) await owner.call(calls.readStock(shop.admin, id));
  await log.close();
  const records = await readCallLog(logFile);
  const looked = await look?.(records);
  const findings = [
    ...(looked?.findings ?? []),
    ...(await judge(rig, { log: records, settlement, badAnswers })),
  ];
  return {
    seed,
    minutes,
    faults: told.map(({ atS, fault }) => ({ atS, ...fault })),
    calls: callsOf(records),
    messages: messagesOf(rig.network),
    settledS: settlement.seconds,
    findings,
    figures: {
      ...looked?.figures,
      ...(rig.deathsOfFreezes > 0 && {
        'workers that died of a freeze in the middle of workflow code': rig.deathsOfFreezes,
      }),
      ...lag(),
    },
  };
}

/** Prints the faults that are to come. */
export function showSchedule(
  schedule: readonly Fault[],
  { seed, output }: Pick<ScenarioOptions, 'seed' | 'output'>,
): void {
  output.line(`seed ${seed}, ${schedule.length} faults:`);
  for (const fault of schedule)
    output.line(`  ${(fault.atMs / 1_000).toFixed(1).padStart(6)} s  ${textOf(fault)}`);
}
