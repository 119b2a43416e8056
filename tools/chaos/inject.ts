import { setTimeout as delay } from 'node:timers/promises';
import type { Link } from './network';
import type { Rig } from './rig/rig';
import { MONGODB, PRIMARY, SECONDARY, textOf, type Fault } from './schedule';

export interface Injected {
  fault: Fault;
  /** What it did in fact, for example to which node. */
  text: string;
}

/**
 * Makes the faults when they are due, and ends each; resolves when all have ended.
 * @param onFault is told of each as it is made
 */
export async function inject(
  rig: Rig,
  faults: readonly Fault[],
  signal: AbortSignal,
  onFault: (injected: Injected) => void,
): Promise<void> {
  const start = performance.now();
  await Promise.all(
    faults.map(async (fault) => {
      try {
        await delay(Math.max(0, start + fault.atMs - performance.now()), undefined, { signal });
        const { end, text } = await begin(rig, fault);
        onFault({ fault, text });
        await delay(fault.forMs, undefined, { signal });
        await end();
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }),
  );
}

interface Begun {
  text: string;
  end(): Promise<void> | void;
}

async function begin(rig: Rig, fault: Fault): Promise<Begun> {
  switch (fault.kind) {
    case 'kill':
    case 'terminate': {
      const unit = await unitOf(rig, fault.unit);
      // A process that terminates finishes its work first, which may take longer than the fault.
      const ended = unit.end(fault.kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
      return { text: named(fault, unit.name), end: () => ended.then(() => unit.start()) };
    }
    case 'freeze': {
      const unit = await unitOf(rig, fault.unit);
      unit.freeze();
      return { text: named(fault, unit.name), end: () => unit.thaw() };
    }
    case 'stepDown': {
      const primary = await rig.replicaSet.primary();
      if (primary !== undefined)
        await rig.replicaSet.stepDown(primary, Math.ceil(fault.forMs / 1_000)).catch(() => undefined);
      return { text: named(fault, primary), end: () => undefined };
    }
    case 'isolate':
      return isolate(rig, fault);
    case 'cut':
    case 'stall':
    case 'slow': {
      const links = linksOf(rig, fault);
      for (const link of links) {
        if (fault.kind === 'cut') link.cut();
        else if (fault.kind === 'stall') link.stall();
        else if ('delayMs' in fault) link.slow(fault.delayMs);
      }
      return { text: textOf(fault), end: () => links.forEach((link) => link.heal()) };
    }
    case 'swallow':
      return swallow(rig, fault);
  }
}

/**
 * The nodes' connections break: what the primary has written meanwhile would otherwise reach the others after all, as soon
 * as the network is whole again, and nothing be rolled back. To the processes the nodes beyond are silent.
 */
async function isolate(rig: Rig, fault: Extract<Fault, { kind: 'isolate' }>): Promise<Begun> {
  const { network, replicaSet, units } = rig;
  const alone = (await replicaSet.primary()) ?? replicaSet.nodes[0]!.name;
  const others = replicaSet.nodes.map(({ name }) => name).filter((name) => name !== alone);
  const apps = [...units.keys()].filter((name) => /^(api|worker)/.test(name));
  const between = others.flatMap((other) => [network.link(alone, other), network.link(other, alone)]);
  const across = apps.flatMap((app) =>
    fault.together.includes(app)
      ? others.map((other) => network.link(app, other))
      : [network.link(app, alone)],
  );
  const links = [...between, ...across];
  for (const link of between) link.cut();
  for (const link of across) link.stall();
  return { text: `${textOf(fault)} (${alone})`, end: () => links.forEach((link) => link.heal()) };
}

function swallow(rig: Rig, fault: Extract<Fault, { kind: 'swallow' }>): Begun {
  let left = fault.after;
  let isDone = false;
  const removers = linksOf(rig, fault).map((link) =>
    link.set((direction) => {
      if (direction !== 'reply' || isDone || left-- > 0) return false;
      isDone = true;
      return true;
    }),
  );
  return { text: textOf(fault), end: () => removers.forEach((remove) => remove()) };
}

function linksOf({ network, replicaSet }: Rig, { from, to }: { from: string; to: string }): Link[] {
  const ends = to === MONGODB ? replicaSet.nodes.map(({ name }) => name) : [to];
  return ends.map((end) => network.link(from, end));
}

async function unitOf({ units, replicaSet }: Rig, name: string) {
  if (name !== PRIMARY && name !== SECONDARY) return units.get(name)!;
  const primary = (await replicaSet.primary()) ?? replicaSet.nodes[0]!.name;
  const chosen = name === PRIMARY ? primary : replicaSet.nodes.find((node) => node.name !== primary)!.name;
  return units.get(chosen)!;
}

function named(fault: Fault, name: string | undefined): string {
  return 'unit' in fault && fault.unit === name
    ? textOf(fault)
    : `${textOf(fault)} (${name ?? 'there is none'})`;
}
