import { setTimeout as delay } from 'node:timers/promises';
import type { Link, LinkFault } from './network';
import type { Rig } from './rig/rig';
import type { Unit } from './rig/unit';
import { isOfNodes, MONGODB, PRIMARY, SECONDARY, textOf, type Fault } from './schedule';

/** What a fault needs of the rig. */
export type Disturbed = Pick<Rig, 'network' | 'replicaSet' | 'units'>;

/** What became of a fault, which is known for certain when it has ended. */
export interface Injected {
  /** What was done, for example to which node, or why nothing was. */
  text: string;
  /** Whether anything was done, and met anything. */
  isMade: boolean;
}

/** The nodes follow the primary again after this time, or a fault of theirs is left out. */
const IN_SYNC_MS = 60_000;

/**
 * Makes the faults when they are due, and ends each; resolves when all have ended. One of nodes waits until the one before has
 * ended, and all nodes work.
 * @param onFault is told of each as it is made, and what it is told may yet change until the fault has ended
 */
export async function inject(
  rig: Disturbed,
  faults: readonly Fault[],
  signal: AbortSignal,
  onFault: (injected: Injected) => void,
  { inSyncMs = IN_SYNC_MS } = {},
): Promise<void> {
  const start = performance.now();
  const make = async (fault: Fault): Promise<void> => {
    const begun = await begin(rig, fault);
    const injected = { text: begun.text, isMade: begun.isMade };
    onFault(injected);
    if (!begun.isMade && !begun.end) return;
    await delay(fault.forMs, undefined, { signal });
    Object.assign(injected, await begun.end?.());
  };
  const makeAlone = async (fault: Fault): Promise<void> => {
    try {
      await rig.replicaSet.inSync(inSyncMs);
    } catch (error) {
      signal.throwIfAborted();
      return onFault(notMade(fault, `${(error as Error).message}`));
    }
    await make(fault);
  };
  let nodes = Promise.resolve();
  await Promise.all(
    faults.map(async (fault) => {
      try {
        await delay(Math.max(0, start + fault.atMs - performance.now()), undefined, { signal });
        await (isOfNodes(fault) ? (nodes = nodes.then(() => makeAlone(fault))) : make(fault));
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }),
  );
}

interface Begun extends Injected {
  /** Ends it, and tells what has become of it, as far as that is known only then. */
  end?(): Promise<Partial<Injected>> | Partial<Injected>;
}

function notMade(fault: Fault, why: string): Injected {
  return { text: `${textOf(fault)}: not made, ${why}`, isMade: false };
}

async function begin(rig: Disturbed, fault: Fault): Promise<Begun> {
  switch (fault.kind) {
    case 'kill':
    case 'terminate':
    case 'freeze':
      return stop(rig, fault);
    case 'stepDown':
      return stepDown(rig, fault);
    case 'isolate':
      return isolate(rig, fault);
    case 'cut':
    case 'stall':
    case 'slow': {
      const links = await linksOf(rig, fault);
      if (links.length === 0) return notMade(fault, 'there was no such node');
      const text = placed(fault, ...namesOf(links));
      return onLinks(
        text,
        links.map((link) => {
          if (fault.kind === 'cut') return link.cut();
          return 'delayMs' in fault ? link.slow(fault.delayMs) : link.stall();
        }),
      );
    }
    case 'swallow':
      return swallow(rig, fault);
  }
}

/** Ends or suspends a process for a while. */
async function stop(
  rig: Disturbed,
  fault: Extract<Fault, { kind: 'kill' | 'terminate' | 'freeze' }>,
): Promise<Begun> {
  const unit = await unitOf(rig, fault.unit);
  if (!unit) return notMade(fault, 'there was none');
  const text = placed(fault, unit.name);
  if (!unit.isRunning) return notMade(fault, `${unit.name} did not run`);
  if (fault.kind === 'freeze') {
    const { pid } = unit;
    unit.freeze();
    return {
      text,
      isMade: true,
      end() {
        const isMade = unit.pid === pid;
        unit.thaw();
        return isMade ? {} : { text: `${text}: not made, it ended meanwhile`, isMade };
      },
    };
  }
  // A process that terminates finishes its work first, which may take longer than the fault.
  const ended = unit.end(fault.kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
  return {
    text,
    isMade: true,
    async end() {
      const how = await ended;
      await unit.start();
      return { text: `${text}: it ${how}` };
    },
  };
}

async function stepDown(
  { replicaSet }: Disturbed,
  fault: Extract<Fault, { kind: 'stepDown' }>,
): Promise<Begun> {
  const primary = await replicaSet.primary();
  if (primary === undefined) return notMade(fault, 'there was none');
  try {
    await replicaSet.stepDown(primary, Math.ceil(fault.forMs / 1_000));
  } catch (error) {
    return notMade(fault, `${primary} said ${(error as Error).message}`);
  }
  return { text: placed(fault, primary), isMade: true, end: () => ({}) };
}

/**
 * The nodes' connections break: what the primary has written meanwhile would otherwise reach the others after all, as soon
 * as the network is whole again, and nothing be rolled back. To the processes the nodes beyond are silent.
 */
async function isolate(
  { network, replicaSet, units }: Disturbed,
  fault: Extract<Fault, { kind: 'isolate' }>,
): Promise<Begun> {
  const alone = await replicaSet.primary();
  if (alone === undefined) return notMade(fault, 'there was none');
  const others = replicaSet.nodes.map(({ name }) => name).filter((name) => name !== alone);
  const apps = [...units.keys()].filter((name) => /^(api|worker)/.test(name));
  const between = others.flatMap((other) => [network.link(alone, other), network.link(other, alone)]);
  const across = apps.flatMap((app) =>
    fault.together.includes(app)
      ? others.map((other) => network.link(app, other))
      : [network.link(app, alone)],
  );
  return onLinks(placed(fault, alone), [
    ...between.map((link) => link.cut()),
    ...across.map((link) => link.stall()),
  ]);
}

function onLinks(text: string, faults: readonly LinkFault[]): Begun {
  return {
    text,
    isMade: true,
    end() {
      for (const fault of faults) fault.end();
      const isMade = faults.some(({ met }) => met > 0);
      return isMade ? {} : { text: `${text}: nothing was sent meanwhile`, isMade };
    },
  };
}

async function swallow(rig: Disturbed, fault: Extract<Fault, { kind: 'swallow' }>): Promise<Begun> {
  let left = fault.after;
  let swallowed: string | undefined;
  const links = await linksOf(rig, fault);
  const removers = links.map((link) =>
    link.set((direction, label) => {
      if (direction !== 'reply' || swallowed !== undefined || left-- > 0) return false;
      swallowed = label;
      return true;
    }),
  );
  const text = placed(fault, ...namesOf(links));
  return {
    text,
    isMade: true,
    end() {
      for (const remove of removers) remove();
      return swallowed === undefined
        ? { text: `${text}: no such reply came`, isMade: false }
        : { text: `${text}: ${swallowed}` };
    },
  };
}

/** Returns none if it is not known which node is meant. */
async function linksOf(
  { network, replicaSet }: Disturbed,
  { from, to }: { from: string; to: string },
): Promise<Link[]> {
  if (to === MONGODB) return replicaSet.nodes.map(({ name }) => network.link(from, name));
  const ends = await Promise.all([from, to].map((end) => nodeNamed(replicaSet, end)));
  return ends[0] !== undefined && ends[1] !== undefined ? [network.link(ends[0], ends[1])] : [];
}

async function unitOf({ units, replicaSet }: Disturbed, name: string): Promise<Unit | undefined> {
  return units.get((await nodeNamed(replicaSet, name)) ?? '');
}

/** Returns the name of the node that is meant, or of what is none; undefined if there is no primary. */
async function nodeNamed(replicaSet: Disturbed['replicaSet'], name: string): Promise<string | undefined> {
  if (name !== PRIMARY && name !== SECONDARY) return name;
  const primary = await replicaSet.primary();
  if (name === PRIMARY || primary === undefined) return primary;
  return replicaSet.nodes.find((node) => node.name !== primary)!.name;
}

/** Only one has to be named: all of them are what the schedule names as well. */
function namesOf(links: readonly Link[]): string[] {
  return links.length === 1 ? [links[0]!.from, links[0]!.to] : [];
}

/** Says what a fault does, and to what, if that is not in the schedule. */
function placed(fault: Fault, ...names: string[]): string {
  const text = textOf(fault);
  const others = names.filter((name) => !text.includes(name));
  return others.length === 0 ? text : `${text} (${others.join(' to ')})`;
}
