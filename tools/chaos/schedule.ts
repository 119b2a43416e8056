import { randomOf, type Random } from './random';
import { APIS, WORKERS, WORKERS_IN_PAIRS } from './rig/rig';

/** A disturbance of the system, by what the schedule knows: which node is the primary is only known when it is due. */
export type Fault = { atMs: number } & (
  | { kind: 'kill' | 'terminate'; unit: string; forMs: number }
  | { kind: 'freeze'; unit: string; forMs: number }
  | { kind: 'stepDown'; forMs: number }
  /** Cuts the primary off the other nodes, together with some of the processes; the rest keep to the others. */
  | { kind: 'isolate'; together: readonly string[]; forMs: number }
  | { kind: 'cut' | 'stall'; from: string; to: string; forMs: number }
  | { kind: 'slow'; from: string; to: string; delayMs: number; forMs: number }
  /** Takes the reply that comes after so many others, and breaks its connection. */
  | { kind: 'swallow'; from: string; to: string; after: number; forMs: number }
);

/** Stands for the node that is the primary when the fault is due, or one that is not. */
export const PRIMARY = 'the primary';
export const SECONDARY = 'a secondary';
/** All nodes of the replica set, as the other end of links. */
export const MONGODB = 'mongodb';

/** Whether a fault keeps a node from its work, or from the others: then no other one may be missing. */
export function isOfNodes(fault: Fault): boolean {
  if (fault.kind === 'stepDown' || fault.kind === 'isolate') return true;
  const subject = 'unit' in fault ? fault.unit : fault.from;
  return subject === PRIMARY || subject === SECONDARY;
}

/** Faults leave the system time to do something between them, and may yet meet. */
const PAUSE_MS = { least: 1_500, most: 6_000 };
const LENGTH_MS = { least: 500, most: 9_000 };
/** Longer than anything that waits: a workflow task, an election, an attempt of an activity, a client for its answer. */
const LONG_MS = { least: 12_000, most: 30_000 };
const LONG_SHARE = 0.2;
/** Between two faults of nodes: with two of them down, there is nothing but waiting. */
const NODE_PAUSE_MS = 12_000;
/** A process that was started again is left alone until it does its work. */
const STARTED_MS = 6_000;

/** The processes that use the servers. */
type Apps = readonly string[];
type Maker = (random: Random, at: { atMs: number; forMs: number }, apps: Apps) => Fault;

const OF_NODES: readonly Maker[] = [
  (_random, at) => ({ ...at, kind: 'kill', unit: PRIMARY }),
  (_random, at) => ({ ...at, kind: 'freeze', unit: PRIMARY }),
  (_random, at) => ({ ...at, kind: 'terminate', unit: PRIMARY }),
  (_random, at) => ({ ...at, kind: 'kill', unit: SECONDARY }),
  (_random, at) => ({ ...at, kind: 'freeze', unit: SECONDARY }),
  (_random, at) => ({ ...at, kind: 'terminate', unit: SECONDARY }),
  (_random, at) => ({ ...at, kind: 'stepDown' }),
  (random, at, apps) => ({ ...at, kind: 'isolate', together: apps.filter(() => random.chance(0.4)) }),
  ...onLinks(nodeLinkOf),
];

const OF_APPS: readonly Maker[] = (['kill', 'terminate', 'freeze'] as const).map(
  (kind) => (random, at, apps) => ({ ...at, kind, unit: random.pick(apps) }),
);

const OF_OTHERS: readonly Maker[] = [
  ...(['kill', 'terminate', 'freeze'] as const).map<Maker>((kind) => (_random, at) => ({
    ...at,
    kind,
    unit: 'temporal',
  })),
  ...onLinks(linkOf),
  swallowing,
  swallowing, // what no kill reaches: done, and not told
];

function onLinks(linkOf: (random: Random, apps: Apps) => { from: string; to: string }): Maker[] {
  return [
    (random, at, apps) => ({ ...at, kind: 'cut', ...linkOf(random, apps) }),
    (random, at, apps) => ({ ...at, kind: 'stall', ...linkOf(random, apps) }),
    (random, at, apps) => ({
      ...at,
      kind: 'slow',
      ...linkOf(random, apps),
      delayMs: random.between(20, 800),
    }),
  ];
}

function swallowing(random: Random, at: { atMs: number; forMs: number }, apps: Apps): Fault {
  return { ...at, kind: 'swallow', ...linkOf(random, apps), after: random.between(0, 6) };
}

/** Most often to all of MongoDB or to Temporal, and sometimes to one node alone. */
function linkOf(random: Random, apps: Apps): { from: string; to: string } {
  if (random.chance(0.15)) return { from: 'clients', to: random.pick(APIS) };
  const to = random.pick([MONGODB, MONGODB, 'temporal', 'temporal', PRIMARY, SECONDARY]);
  return { from: random.pick(apps), to };
}

/** Nodes connect to each other in both directions. */
function nodeLinkOf(random: Random): { from: string; to: string } {
  const [from, to] = random.shuffled([PRIMARY, SECONDARY]) as [string, string];
  return { from, to };
}

/**
 * Returns the faults of a run with two workers for each queue, which depend on nothing but its seed and its length. No process
 * has two of them at a time, and the nodes of MongoDB together have one.
 */
export function scheduleOf(seed: number, scenario: string, durationMs: number): Fault[] {
  const random = randomOf(seed, scenario);
  const apps = [...APIS, ...Object.keys(WORKERS_IN_PAIRS)];
  const faults: Fault[] = [];
  const busyUntil = new Map<string, number>();
  let nodesFrom = 0;
  for (let atMs = PAUSE_MS.least; ; atMs += random.between(PAUSE_MS.least, PAUSE_MS.most)) {
    const { least, most } = random.chance(LONG_SHARE) ? LONG_MS : LENGTH_MS;
    const forMs = Math.min(random.between(least, most), durationMs - atMs);
    if (forMs < LENGTH_MS.least) return faults;
    const ofNodes = random.chance(0.25) && atMs >= nodesFrom;
    const make = random.pick(ofNodes ? OF_NODES : [...OF_APPS, ...OF_OTHERS]);
    const fault = make(random, { atMs, forMs }, apps);
    if (ofNodes) nodesFrom = atMs + forMs + NODE_PAUSE_MS;
    else if ('unit' in fault) {
      if (atMs < (busyUntil.get(fault.unit) ?? 0)) continue;
      busyUntil.set(fault.unit, atMs + forMs + STARTED_MS);
    }
    faults.push(fault);
  }
}

const SOAK_PAUSE_MS = 15_000;
/** A node that was killed needs the rest of the time to follow the others again. */
const SOAK_LENGTH_MS = { least: 500, most: 5_000 };
/** Longer than an election takes, and over before the next fault. */
const SOAK_LONG_MS = { least: 12_000, most: 14_000 };

/** Returns a fault at regular intervals, none of which starts a process of ours anew: its memory is what is looked at. */
export function soakFaultsOf(seed: number, durationMs: number): Fault[] {
  const random = randomOf(seed, 'soak');
  const faults: Fault[] = [];
  const apps = [...APIS, ...Object.keys(WORKERS)];
  for (let atMs = SOAK_PAUSE_MS; atMs + SOAK_PAUSE_MS <= durationMs; atMs += SOAK_PAUSE_MS) {
    const { least, most } = random.chance(LONG_SHARE) ? SOAK_LONG_MS : SOAK_LENGTH_MS;
    const forMs = random.between(least, most);
    faults.push(random.pick([...OF_NODES, ...OF_OTHERS])(random, { atMs, forMs }, apps));
  }
  return faults;
}

const ELECTED_MS = { least: 15_000, most: 20_000 };
const NEXT_PRIMARY_MS = { least: 8_000, most: 12_000 };

/** Returns faults of the primary alone, one after the other, each longer than the others do without one. */
export function primaryFaultsOf(seed: number, durationMs: number): Fault[] {
  const random = randomOf(seed, 'replica-set');
  const faults: Fault[] = [];
  let makers: ((atMs: number, forMs: number) => Fault)[] = [];
  for (let atMs = PAUSE_MS.least; ;) {
    const forMs = random.between(ELECTED_MS.least, ELECTED_MS.most);
    const together = [random.pick(APIS), random.pick(['worker-1', 'worker-2'])];
    if (atMs + forMs > durationMs) return faults;
    if (makers.length === 0)
      makers = random.shuffled([
        (at, length) => ({ atMs: at, kind: 'isolate', together, forMs: length }),
        (at, length) => ({ atMs: at, kind: 'kill', unit: PRIMARY, forMs: length }),
        (at, length) => ({ atMs: at, kind: 'freeze', unit: PRIMARY, forMs: length }),
        (at, length) => ({ atMs: at, kind: 'stepDown', forMs: length }),
      ]);
    faults.push(makers.pop()!(atMs, forMs));
    atMs += forMs + random.between(NEXT_PRIMARY_MS.least, NEXT_PRIMARY_MS.most);
  }
}

/** Pairs of workers, with freezes that are longer than an attempt of their activities may last, and a workflow task. */
const PAIRS = [
  { pair: ['worker-1', 'worker-2'], least: 13_000, most: 18_000 },
  { pair: ['worker-3', 'worker-4'], least: 17_000, most: 25_000 },
];
const THAWED_MS = { least: 1_000, most: 3_000 };

/** Returns freezes of workers: of each pair, one at a time. */
export function freezesOf(seed: number, durationMs: number): Fault[] {
  return PAIRS.flatMap(({ pair, least, most }) => {
    const random = randomOf(seed, pair.join());
    const faults: Fault[] = [];
    for (let atMs = random.between(PAUSE_MS.least, PAUSE_MS.most); ;) {
      const forMs = random.between(least, most);
      if (atMs + forMs > durationMs) return faults;
      faults.push({ atMs, kind: 'freeze', unit: random.pick(pair), forMs });
      atMs += forMs + random.between(THAWED_MS.least, THAWED_MS.most);
    }
  });
}

/** Says what a fault does, for people. */
export function textOf(fault: Fault): string {
  const seconds = `${(fault.forMs / 1_000).toFixed(1)} s`;
  switch (fault.kind) {
    case 'kill':
      return `kill ${fault.unit}, start it again after ${seconds}`;
    case 'terminate':
      return `terminate ${fault.unit}, start it again after ${seconds}`;
    case 'freeze':
      return `freeze ${fault.unit} for ${seconds}`;
    case 'isolate':
      return `cut the primary off the other nodes, with ${fault.together.join(' and ')}, for ${seconds}`;
    case 'stepDown':
      return `have the primary step down for ${seconds}`;
    case 'cut':
      return `cut ${fault.from} off ${fault.to} for ${seconds}`;
    case 'stall':
      return `let nothing through between ${fault.from} and ${fault.to} for ${seconds}`;
    case 'slow':
      return `delay all between ${fault.from} and ${fault.to} by ${fault.delayMs} ms for ${seconds}`;
    case 'swallow':
      return `swallow reply ${fault.after + 1} of ${fault.to} to ${fault.from} within ${seconds}`;
  }
}
