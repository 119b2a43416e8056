import { randomOf, type Random } from './random';
import { APIS, WORKERS } from './rig/rig';

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

const APPS = [...APIS, ...Object.keys(WORKERS)];
/** Faults leave the system time to do something between them, and may yet meet. */
const PAUSE_MS = { least: 1_500, most: 6_000 };
const LENGTH_MS = { least: 500, most: 9_000 };
/** Between two faults of nodes: with two of them down, there is nothing but waiting. */
const NODE_PAUSE_MS = 12_000;

type Maker = (random: Random, atMs: number, forMs: number) => Fault;

const OF_NODES: readonly Maker[] = [
  (_random, atMs, forMs) => ({ atMs, kind: 'kill', unit: PRIMARY, forMs }),
  (_random, atMs, forMs) => ({ atMs, kind: 'freeze', unit: PRIMARY, forMs }),
  (_random, atMs, forMs) => ({ atMs, kind: 'kill', unit: SECONDARY, forMs }),
  (_random, atMs, forMs) => ({ atMs, kind: 'stepDown', forMs }),
];

const OF_APPS: readonly Maker[] = [
  (random, atMs, forMs) => ({ atMs, kind: 'kill', unit: random.pick(APPS), forMs }),
  (random, atMs, forMs) => ({ atMs, kind: 'terminate', unit: random.pick(APPS), forMs }),
  (random, atMs, forMs) => ({ atMs, kind: 'freeze', unit: random.pick(APPS), forMs }),
];

const OF_OTHERS: readonly Maker[] = [
  (_random, atMs, forMs) => ({ atMs, kind: 'kill', unit: 'temporal', forMs }),
  (_random, atMs, forMs) => ({ atMs, kind: 'freeze', unit: 'temporal', forMs }),
  (random, atMs, forMs) => ({ atMs, kind: 'cut', ...linkOf(random), forMs }),
  (random, atMs, forMs) => ({ atMs, kind: 'stall', ...linkOf(random), forMs }),
  (random, atMs, forMs) => ({
    atMs,
    kind: 'slow',
    ...linkOf(random),
    delayMs: random.between(20, 800),
    forMs,
  }),
  swallowing,
  swallowing, // what no kill reaches: done, and not told
];

function swallowing(random: Random, atMs: number, forMs: number): Fault {
  return { atMs, kind: 'swallow', ...linkOf(random), after: random.between(0, 20), forMs };
}

function linkOf(random: Random): { from: string; to: string } {
  if (random.chance(0.15)) return { from: 'clients', to: random.pick(APIS) };
  return { from: random.pick(APPS), to: random.pick([MONGODB, 'temporal']) };
}

/** Returns the faults of a run, which depend on nothing but its seed and its length. */
export function scheduleOf(seed: number, scenario: string, durationMs: number): Fault[] {
  const random = randomOf(seed, scenario);
  const faults: Fault[] = [];
  let nodesFrom = 0;
  for (let atMs = PAUSE_MS.least; ;) {
    const forMs = random.between(LENGTH_MS.least, LENGTH_MS.most);
    if (atMs + forMs > durationMs) return faults;
    const ofNodes = random.chance(0.25) && atMs >= nodesFrom;
    const fault = random.pick(ofNodes ? OF_NODES : [...OF_APPS, ...OF_OTHERS])(random, atMs, forMs);
    if (ofNodes) nodesFrom = atMs + forMs + NODE_PAUSE_MS;
    faults.push(fault);
    atMs += random.between(PAUSE_MS.least, PAUSE_MS.most);
  }
}

const SOAK_PAUSE_MS = 15_000;
/** A node that was killed needs the rest of the time to follow the others again. */
const SOAK_LENGTH_MS = { least: 500, most: 5_000 };

/** Returns a fault at regular intervals, none of which starts a process of ours anew: its memory is what is looked at. */
export function soakFaultsOf(seed: number, durationMs: number): Fault[] {
  const random = randomOf(seed, 'soak');
  const faults: Fault[] = [];
  for (let atMs = SOAK_PAUSE_MS; atMs + SOAK_LENGTH_MS.most <= durationMs; atMs += SOAK_PAUSE_MS) {
    const forMs = random.between(SOAK_LENGTH_MS.least, SOAK_LENGTH_MS.most);
    faults.push(random.pick([...OF_NODES, ...OF_OTHERS])(random, atMs, forMs));
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

/** Longer than an attempt of an activity may last, a workflow task, and the connection of a worker. */
const TIMED_OUT_MS = { least: 13_000, most: 18_000 };
const THAWED_MS = { least: 1_000, most: 3_000 };

/** Returns freezes of workers: of each pair, one at a time. */
export function freezesOf(seed: number, durationMs: number): Fault[] {
  return [
    ['worker-1', 'worker-2'],
    ['worker-3', 'worker-4'],
  ].flatMap((pair) => {
    const random = randomOf(seed, pair.join());
    const faults: Fault[] = [];
    for (let atMs = random.between(PAUSE_MS.least, PAUSE_MS.most); ;) {
      const forMs = random.between(TIMED_OUT_MS.least, TIMED_OUT_MS.most);
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
