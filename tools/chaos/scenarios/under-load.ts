import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createCaller, type Call, type Caller } from '../clients/caller';
import { calls } from '../clients/calls';
import { createClients } from '../clients/clients';
import { outcomeOf } from '../clients/http';
import { openShop, STOCKED, stockUp, type Shop } from '../clients/shop';
import type { Injected } from '../inject';
import { judge } from '../judge';
import { measureLag } from '../lag';
import { openCallLog, readCallLog, type CallRecord } from '../log';
import { barOfStocking, barsOfCalls, barsOfOrders, notProven } from '../proof';
import { callsOf, messagesOf, type Finding, type Run } from '../report';
import type { Rig } from '../rig/rig';
import { textOf, type Fault } from '../schedule';
import { settle } from '../settle';
import type { ScenarioOptions } from './scenario';

const CUSTOMERS = 4;
const STAFF = 3;
/** The bar of the second mode: everything that was accepted is settled so long after the last fault. */
const SETTLED_MS = 120_000;
/** A read that nobody has answered is made again so often. */
const MOST_READS = 5;
const READ_PAUSE_MS = 2_000;
/** How many read all orders together in the end. */
const READERS = 4;

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
  const callerOf = (client: string): Caller =>
    createCaller({ client, apis, log, deadline: () => (signal.aborted ? 0 : Infinity), onFault });
  await stockUp(shop, STOCKED, { apis, log, onFault, signal });

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
  } catch (error) {
    clients.stop();
    throw error;
  } finally {
    clearInterval(shown);
    progress.end();
  }
  const healed = performance.now();
  await rig.heal();
  output.line(`all faults have ended; ${clients.accepted.size} orders are to settle`);
  const [readyS] = await Promise.all([
    rig.ready().then(() => (performance.now() - healed) / 1_000),
    clients.finish(SETTLED_MS),
  ]);
  const accepted = [...clients.accepted.keys()];
  const settlement = await settle(rig, accepted, { limitMs: SETTLED_MS, start: healed, signal });
  const missing = await readAll(
    Array.from({ length: READERS }, (_, n) => callerOf(`reader-${n + 1}`)),
    {
      reads: [
        ...accepted.map((id) => calls.read(shop.admin, id)),
        ...shop.products.map(({ id }) => calls.readStock(shop.admin, id)),
      ],
      signal,
    },
  );
  await log.close();
  const records = await readCallLog(logFile);
  const looked = await look?.(records);
  const findings = [
    ...(looked?.findings ?? []),
    ...missing,
    ...notProven([
      barOfStocking(records, STOCKED.length),
      ...barsOfCalls(records, minutes),
      ...(await barsOfOrders(rig, minutes)),
      {
        what: 'faults that met something',
        atLeast: Math.max(1, Math.floor(told.length / 3)),
        found: told.filter(({ fault }) => fault.isMade).length,
      },
    ]),
    ...(await judge(rig, { log: records, settlement, badAnswers, readyS })),
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

/** Reads all that was accepted once more. Returns a finding for each that is not shown. */
async function readAll(
  readers: readonly Caller[],
  { reads, signal }: { reads: Call[]; signal: AbortSignal },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const left = [...reads];
  async function work(reader: Caller): Promise<void> {
    for (let read = left.pop(); read; read = left.pop()) {
      let found = await reader.call(read);
      for (let n = 1; n < MOST_READS && outcomeOf(found.answer) === 'unknown'; n++) {
        await delay(READ_PAUSE_MS, undefined, { signal });
        found = await reader.call(read);
      }
      const { status, code } = found.answer;
      if (found.outcome !== 'ok')
        findings.push({
          kind: 'not_shown',
          means: 'What was accepted cannot be read when all faults have ended',
          subject: read.subject!,
          expected: '200',
          found: `${status ?? 'no answer'} ${code ?? ''}`,
        });
    }
  }
  await Promise.all(readers.map(work));
  return findings;
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
