import { join } from 'node:path';
import { createCaller } from '../clients/caller';
import { calls } from '../clients/calls';
import { createClients } from '../clients/clients';
import { openShop, STOCKED } from '../clients/shop';
import { inject } from '../inject';
import { judge } from '../judge';
import { measureLag } from '../lag';
import { openCallLog, readCallLog } from '../log';
import { callsOf, messagesOf, type Run } from '../report';
import { startRig, type Rig } from '../rig/rig';
import { scheduleOf, textOf } from '../schedule';
import { settle } from '../settle';
import { keepLogs, type Scenario, type ScenarioOptions } from './scenario';

const CUSTOMERS = 4;
const STAFF = 3;
/** The bar of the second mode: everything that was accepted is settled so long after the last fault. */
const SETTLED_MS = 120_000;
const MOST_RE_READ = 200;

/** Faults of all kinds by chance, while clients make their calls. */
export const random: Scenario = {
  name: 'random',
  about: 'faults of processes, nodes and links by chance, while clients place and change orders',
  async run(options) {
    const { output, signal } = options;
    const rig = await startRig({ output, signal });
    try {
      return await disturb(rig, options);
    } finally {
      await rig.stop();
    }
  },
};

async function disturb(rig: Rig, options: ScenarioOptions): Promise<Run> {
  const { seed, minutes, output, progress, signal } = options;
  const durationMs = minutes * 60_000;
  const schedule = scheduleOf(seed, 'random', durationMs);
  output.line(`seed ${seed}, ${schedule.length} faults:`);
  for (const fault of schedule)
    output.line(`  ${(fault.atMs / 1_000).toFixed(1).padStart(6)} s  ${textOf(fault)}`);

  const lag = measureLag();
  const logFile = join(rig.folder, 'calls.jsonl');
  const log = openCallLog(logFile);
  const badAnswers: string[] = [];
  const onFault = (fault: string): void => void badAnswers.push(fault);
  const shop = await openShop(rig);
  const owner = createCaller({ client: 'owner', apis: rig.apis, log, deadline: () => Infinity, onFault });
  for (const [index, { id }] of shop.products.entries())
    await owner.call(calls.adjustStock(shop.admin, id, STOCKED[index]!));

  const clients = createClients({ rig, shop, log, seed, customers: CUSTOMERS, staff: STAFF, onFault });
  const faults: Run['faults'] = [];
  const start = performance.now();
  const elapsedS = (): number => (performance.now() - start) / 1_000;
  const shown = setInterval(
    () =>
      progress.show(
        Math.min(1, elapsedS() / (durationMs / 1_000)),
        `${clients.done} calls, ${clients.accepted.size} orders; ${faults.at(-1)?.text ?? ''}`,
      ),
    1_000,
  );
  try {
    clients.start();
    await inject(rig, schedule, signal, ({ text }) => void faults.push({ atS: elapsedS(), text }));
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
  const findings = await judge(rig, { log: records, settlement, badAnswers });
  await keepLogs(rig, { callLog: logFile, findings }, options);
  return {
    seed,
    minutes,
    faults,
    calls: callsOf(records),
    messages: messagesOf(rig.network),
    settledS: settlement.seconds,
    findings,
    figures: lag(),
  };
}
