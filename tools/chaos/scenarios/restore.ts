import { mkdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findExecutable } from '../../devstack/binaries/find';
import { TEMPORAL } from '../../devstack/binaries/tools';
import { silentOutput } from '../../output';
import { auditUntilClean, FINDING_KINDS } from '../audit';
import { orderIdOf } from '../audit/logged';
import { createClients } from '../clients/clients';
import { openShop, STOCKED, stockUp, type Shop } from '../clients/shop';
import { followDrill } from '../drill';
import { judge } from '../judge';
import { openCallLog, readCallLog, type CallLog, type CallRecord } from '../log';
import { callsOf, messagesOf, type Finding, type Run } from '../report';
import type { Rig } from '../rig/rig';
import { settle, type Settlement } from '../settle';
import { backUpTemporal, ordersNow, putTemporalBack, type OrderThen } from '../stores';
import { onRig, type Scenario, type ScenarioOptions } from './scenario';

const CUSTOMERS = 4;
const STAFF = 3;
const SETTLED_MS = 120_000;
/** How long there is traffic after a procedure, to see that everything works. */
const AFTERWARDS_MS = 10_000;
/** What is sent and repeated in the background comes to rest within this time. */
const AT_REST_MS = 60_000;

/** Each store is copied under load and put back later, and the page about that is followed. */
export const restore: Scenario = {
  name: 'restore',
  about:
    'Temporal, and then MongoDB, is put back to an earlier time, and docs/disaster-recovery.md is followed',
  run: (options) => onRig('restore', options, {}, (rig) => putBackEach(rig, options)),
};

type Orders = ReadonlyMap<string, OrderThen>;

/** What there is to compare after a store was put back. */
interface Gap {
  /** The orders when the copy was made, and before it was put back. */
  before: Orders;
  after: Orders;
  /** What clients had been told. */
  log: readonly CallRecord[];
}

/** A line of what the audit has found. */
interface Named {
  kind: string;
  orderId: string;
  /** Whether order and payment service differ, which is told beside what was put back. */
  isOfPayment: boolean;
}

async function putBackEach(rig: Rig, options: ScenarioOptions): Promise<Run> {
  const { seed, minutes, signal, output, progress } = options;
  const start = performance.now();
  const phaseMs = (minutes * 60_000) / 4;
  const env = await shellOf(rig);
  const badAnswers: string[] = [];
  const onFault = (fault: string): void => void badAnswers.push(fault);
  const faults: Run['faults'] = [];
  const tell = (text: string): void => {
    faults.push({ atS: (performance.now() - start) / 1_000, text });
    progress.show(Math.min(1, faults.length / STEPS), text);
  };
  const shop = await openShop(rig);
  const log = callLogOf(rig, 'first');
  await stockUp(shop, STOCKED, { apis: rig.apis, log, onFault, signal });
  const traffic = (into: CallLog, prefix: string) =>
    openTraffic(rig, shop, { log: into, prefix, seed, onFault, signal });

  // Temporal first: nothing of it is to be seen afterwards.
  const first = traffic(log, 'first-');
  await delay(phaseMs, undefined, { signal });
  tell('copy Temporal');
  const copyOfTemporal = join(rig.folder, 'copy-of-temporal');
  const copiedAt = log.now();
  const before = await backUpTemporal(rig, copyOfTemporal, () => ordersNow(rig));
  const copied = { from: copiedAt, to: log.now() };
  await delay(phaseMs, undefined, { signal });
  const settled = [await first.end()];
  const ofTemporal: Gap = { before, after: await ordersNow(rig), log: [] };
  await followDrill('Temporal was put back', {
    acts: actsOn(rig, { 'Put the backup of Temporal back': () => putTemporalBack(rig, copyOfTemporal) }),
    env,
    tell,
    signal,
  });
  const workflowsNamed = await namedIn(rig);
  const again = traffic(log, 'again-');
  await delay(AFTERWARDS_MS, undefined, { signal });
  settled.push(await again.end());
  await log.close();
  const firstLog = await readCallLog(fileOf(rig, 'first'));
  const temporalGap = workflowGap({ ...ofTemporal, log: firstLog }, copied);
  const findings = compare('Temporal', temporalGap, workflowsNamed);
  findings.push(
    ...(await judge(rig, { log: firstLog, settlement: sumOf(settled), badAnswers: [...badAnswers] })),
  );
  output.line(`Temporal was put back: ${workflowsNamed.length} workflows named`);
  badAnswers.length = 0;

  const second = callLogOf(rig, 'second');
  const third = traffic(second, 'second-');
  await delay(phaseMs, undefined, { signal });
  tell('copy MongoDB');
  const copyOfMongodb = join(rig.folder, 'copy-of-mongodb');
  await rig.replicaSet.backUp(copyOfMongodb);
  await delay(phaseMs, undefined, { signal });
  settled.push(await third.end());
  await second.close();
  const secondLog = await readCallLog(fileOf(rig, 'second'));
  const after = await ordersNow(rig);
  let restored: Orders = new Map();
  await followDrill('MongoDB was put back', {
    acts: actsOn(rig, {
      'Put the backup of MongoDB back on all nodes': async () => {
        await rig.replicaSet.putBack(copyOfMongodb);
        restored = await ordersNow(rig);
      },
    }),
    env,
    tell,
    signal,
  });
  const ordersNamed = await namedIn(rig);
  const documentGap = orderGap({ before: restored, after, log: secondLog });
  findings.push(...compare('MongoDB', documentGap, ordersNamed));
  const last = callLogOf(rig, 'third');
  const afterwards = traffic(last, 'third-');
  await delay(AFTERWARDS_MS, undefined, { signal });
  settled.push(await afterwards.end());
  await last.close();
  // What clients were told before is not true any more, but the servers have to agree with each other.
  findings.push(...(await judgeServers(rig, badAnswers)));
  progress.end();
  const records = [...firstLog, ...secondLog, ...(await readCallLog(fileOf(rig, 'third')))];
  return {
    seed,
    minutes,
    faults,
    calls: callsOf(records),
    messages: messagesOf(rig.network),
    settledS: sumOf(settled).seconds,
    findings,
    figures: {
      'orders when Temporal was put back': ofTemporal.after.size,
      'workflows that were missing or behind': workflowsNamed.length,
      'orders when MongoDB was put back': after.size,
      'orders that were missing': ordersNamed.filter(({ kind }) => kind === 'order_missing').length,
      'orders that were behind': ordersNamed.filter(({ kind }) => kind === 'order_behind_workflow').length,
    },
  };
}

/** About how many steps there are to be shown. */
const STEPS = 20;

const fileOf = ({ folder }: Rig, name: string): string => join(folder, `${name}-calls.jsonl`);

function callLogOf(rig: Rig, name: string): CallLog {
  return openCallLog(fileOf(rig, name));
}

/** Returns the environment of a person who has the page: a home, and `temporal` on the path. */
async function shellOf(rig: Rig): Promise<NodeJS.ProcessEnv> {
  const bin = join(rig.folder, 'bin');
  await mkdir(bin);
  const command = await findExecutable(TEMPORAL, { env: process.env, output: silentOutput });
  await symlink(command, join(bin, 'temporal'));
  return { ...rig.env, HOME: rig.folder, PATH: `${bin}${delimiter}${rig.env.PATH}` };
}

/** Has clients make their calls. Returns what ends that, and waits until nothing moves any more. */
function openTraffic(
  rig: Rig,
  shop: Shop,
  {
    log,
    prefix,
    seed,
    onFault,
    signal,
  }: {
    log: CallLog;
    prefix: string;
    seed: number;
    onFault: (fault: string) => void;
    signal: AbortSignal;
  },
): { end(): Promise<Settlement> } {
  const parties = { customers: CUSTOMERS, staff: STAFF };
  const clients = createClients({ rig, shop, log, seed, prefix, ...parties, onFault });
  clients.start();
  signal.addEventListener('abort', clients.stop, { once: true });
  return {
    async end() {
      signal.throwIfAborted();
      await clients.finish(SETTLED_MS);
      return settle(rig, [...clients.accepted.keys()], { limitMs: SETTLED_MS, signal });
    },
  };
}

/** What the page has done by hand, by its words. */
function actsOn(rig: Rig, acts: Record<string, () => Promise<void>>): Record<string, () => Promise<void>> {
  const unitsOf = (kind: string) => [...rig.units.values()].filter(({ name }) => name.startsWith(kind));
  const start = async (kind: 'api' | 'worker') => {
    for (const unit of unitsOf(kind)) await unit.start();
    await rig.ready(kind);
  };
  return {
    ...acts,
    'Stop the API and the workers': async () => {
      for (const kind of ['api', 'worker'])
        await Promise.all(unitsOf(kind).map((unit) => unit.end('SIGTERM')));
    },
    'Start the workers': () => start('worker'),
    'Start the API': () => start('api'),
  };
}

/** Returns what the audit has found at its first look. */
async function namedIn({ folder }: Rig): Promise<Named[]> {
  const lines = (await readFile(join(folder, 'put-back.jsonl'), 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => {
    const { kind, subject, payment } = JSON.parse(line) as {
      kind: string;
      subject: string;
      payment?: { orderId?: string };
    };
    return { kind, orderId: payment?.orderId ?? subject, isOfPayment: payment !== undefined };
  });
}

/** What has to be named, by its order and kind, and of which orders nothing may be. */
interface Expected {
  kinds: ReadonlyMap<string, string>;
  /** Orders of which other things may be named, or nothing: they were on their way when the copy was made. */
  unsure: ReadonlySet<string>;
}

/** Returns what the workflows lack that Temporal was put back with. */
function workflowGap({ before, after, log }: Gap, copied: { from: number; to: number }): Expected {
  const kinds = new Map<string, string>();
  const unsure = new Set<string>();
  const overlapping = log.filter(
    ({ at }) => at.invoked <= copied.to && (at.returned === null || at.returned >= copied.from),
  );
  for (const call of overlapping) unsure.add(orderIdOf(call) ?? '');
  for (const [id, { isMoving }] of before) if (isMoving) unsure.add(id);
  for (const [id, { version, isOpen }] of after) {
    const then = before.get(id);
    if (then?.version === version) continue;
    if (isOpen) kinds.set(id, then ? 'workflow_differs' : 'order_without_workflow');
    else if (then?.isOpen) kinds.set(id, 'workflow_not_ended');
  }
  return { kinds, unsure };
}

/** Returns what MongoDB lacks that was put back, by what it had and by what clients were told. */
function orderGap({ before, after, log }: Gap): Expected {
  const kinds = new Map<string, string>();
  const note = (id: string, version: number): void => {
    const then = before.get(id);
    if (!then) kinds.set(id, 'order_missing');
    else if (then.version < version) kinds.set(id, 'order_behind_workflow');
  };
  for (const [id, { version }] of after) note(id, version);
  for (const { order } of log) if (order) note(order.id, order.version);
  return { kinds, unsure: new Set() };
}

function compare(store: string, { kinds, unsure }: Expected, named: readonly Named[]): Finding[] {
  const foundOf = (id: string) => named.filter(({ orderId }) => orderId === id).map(({ kind }) => kind);
  const missed = [...kinds].filter(([id, kind]) => !unsure.has(id) && !foundOf(id).includes(kind));
  const others = named.filter(({ orderId, kind, isOfPayment }) => {
    if (unsure.has(orderId)) return false;
    const expected = kinds.get(orderId);
    return expected === undefined || (kind !== expected && !isOfPayment);
  });
  return [
    ...missed.map(([subject, expected]) => ({
      kind: 'gap_not_named',
      means: `What was lost with ${store} was not named by the audit`,
      subject,
      expected,
      found: foundOf(subject).join() || 'nothing',
    })),
    ...others.map(({ orderId, kind }) => ({
      kind: 'named_without_cause',
      means: `The audit has named what was not lost with ${store}`,
      subject: orderId,
      expected: kinds.get(orderId) ?? 'nothing',
      found: kind,
    })),
  ];
}

async function judgeServers(rig: Rig, badAnswers: readonly string[]): Promise<Finding[]> {
  const { mongodbUri, temporalAddress, namespace } = rig;
  const found = await auditUntilClean({ mongodbUri, temporalAddress, namespace }, { withinMs: AT_REST_MS });
  return [
    ...found.map(({ kind, subject, ...one }) => ({
      kind,
      means: FINDING_KINDS[kind],
      subject,
      expected: JSON.stringify(one.expected),
      found: JSON.stringify(one.found),
    })),
    ...badAnswers.map((answer) => ({
      kind: 'answer',
      means: 'The API has answered with an error of its own',
      subject: 'the API',
      expected: 'no 5xx but 503 with Retry-After',
      found: answer,
    })),
  ];
}

function sumOf(settled: readonly Settlement[]): Settlement {
  return {
    seconds: Math.max(...settled.map(({ seconds }) => seconds)),
    unsettled: settled.flatMap(({ unsettled }) => unsettled),
    limitS: SETTLED_MS / 1_000,
  };
}
