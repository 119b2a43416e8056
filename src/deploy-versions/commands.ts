import type { Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { isMissing, isOutpaced } from '../temporal/errors';
import type { Deployment, Version } from '../versions/deployment';
import { abandonVersion, tellOrders } from '../versions/move';
import type { VersionOptions } from './options';
import { linesOf, stranded } from './output';

export interface CommandDeps {
  client: Client;
  deployment: Deployment;
  /** The version of this code. */
  own: string;
  signal: AbortSignal;
  /** Prints a line of the result. */
  print(line: string): void;
  /** Says how far a command has come. */
  progress(text: string): void;
}

const POLL_MS = 500;
/** How long orders that were told to move may take before what is left is counted. */
const SETTLE_MS = 5_000;

/**
 * Carries out a command. Returns the exit code: 0 if all is as it should be; 1 if it is not yet, or not any more.
 * @throws if it cannot be known or done
 */
export async function run(options: VersionOptions, deps: CommandDeps): Promise<number> {
  const { deployment, own, print, progress, signal, client } = deps;
  const { buildId = own, percentage } = options;

  switch (options.command) {
    case 'status':
      return status(options, deps);
    case 'set-current':
      await onceThere(buildId, options, deps, () => deployment.setCurrent(buildId));
      print(`New orders go to ${buildId}.`);
      return 0;
    case 'ramp':
      if (percentage === 0) await deployment.ramp(buildId, 0);
      else await onceThere(buildId, options, deps, () => deployment.ramp(buildId, percentage!));
      print(
        percentage! > 0
          ? `${percentage} % of new orders go to ${buildId}.`
          : 'All new orders go to the current version.',
      );
      return 0;
    case 'move':
      return move(options, deps);
    case 'drain':
      find(buildId, await deployment.versions());
      return drain(buildId, options, deps);
    case 'abandon': {
      await requireGone(buildId, deps);
      const orders = await abandonVersion(client, deployment, buildId, {
        signal,
        onProgress: (done, total) => progress(`${done} of ${total} orders resumed`),
      });
      print(`${orders} orders were resumed on the current version; nothing runs on ${buildId}.`);
      return 0;
    }
  }
}

async function status({ asJson }: VersionOptions, { deployment, print, own }: CommandDeps): Promise<number> {
  const versions = await deployment.versions();
  if (asJson) print(JSON.stringify({ deployment: deployment.name, own, versions }));
  else for (const line of linesOf(deployment.name, own, versions)) print(line);
  const isServed = versions.some(({ status: is, pollers }) => is === 'current' && pollers > 0);
  return isServed && stranded(versions).length === 0 ? 0 : 1;
}

/** Repeats what Temporal refuses while no worker of the version is there. */
async function onceThere(
  buildId: string,
  { timeoutMs }: VersionOptions,
  { progress, signal }: CommandDeps,
  work: () => Promise<void>,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let isTold = false;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      if (!isMissing(cause) && !isOutpaced(cause)) throw cause;
      if (Date.now() >= deadline) {
        throw new Error(
          `No worker of version ${buildId} asks for work after ${timeoutMs / 1_000} s (${(cause as Error).message}): ` +
            'start its workers first. New orders go where they went before.',
          { cause },
        );
      }
    }
    if (!isTold) progress(`Waiting for workers of version ${buildId} …`);
    isTold = true;
    await delay(POLL_MS, undefined, { signal });
  }
}

async function move(
  { perSecond }: VersionOptions,
  { client, deployment, signal, print, progress }: CommandDeps,
) {
  const older = (await deployment.versions()).filter(isOlder);
  for (const { buildId, pollers, open } of older.filter((one) => one.open > 0)) {
    if (pollers === 0) {
      print(`${buildId}: ${open} workflows have no worker: start its workers, or run abandon ${buildId}.`);
      continue;
    }
    const told = await tellOrders(client, deployment, buildId, {
      signal,
      perSecond,
      onProgress: (done, total) => progress(`${buildId}: ${done} of ${total} orders told to move`),
    });
    await delay(SETTLE_MS, undefined, { signal });
    const left = await deployment.countOpen(buildId);
    print(
      `${buildId}: ${told} orders were told to move; ${left} workflows still run there${left > 0 ? ', as they are at work' : ''}.`,
    );
  }
  const left = (await deployment.versions()).filter(isOlder).reduce((sum, { open }) => sum + open, 0);
  if (left === 0) print('All orders are where they belong.');
  return left === 0 ? 0 : 1;
}

function isOlder({ status: is }: Version): boolean {
  return is !== 'current' && is !== 'ramping';
}

async function drain(
  buildId: string,
  { timeoutMs }: VersionOptions,
  { deployment, signal, print, progress }: CommandDeps,
): Promise<number> {
  const deadline = Date.now() + timeoutMs;
  let last = -1;
  for (;;) {
    const open = await deployment.countOpen(buildId);
    if (open === 0) {
      print(`Nothing runs on ${buildId}: its workers may be stopped.`);
      return 0;
    }
    if (Date.now() >= deadline) {
      print(`${open} workflows still run on ${buildId}: keep its workers. Run move, or wait.`);
      return 1;
    }
    if (open !== last) progress(`${open} workflows run on ${buildId}`);
    last = open;
    await delay(POLL_MS, undefined, { signal });
  }
}

/** @throws if there is no such version */
function find(buildId: string, versions: readonly Version[]): Version {
  const found = versions.find((one) => one.buildId === buildId);
  if (!found) throw new Error(`There is no version ${buildId}: status lists those that there are.`);
  return found;
}

/** @throws if workers of the version could continue what would be taken from them, or if no others could */
async function requireGone(buildId: string, deps: CommandDeps): Promise<void> {
  const versions = await deps.deployment.versions();
  const { pollers, status: is } = find(buildId, versions);
  if (pollers > 0)
    throw new Error(
      `Workers of version ${buildId} ask for work, or did two minutes ago: run move instead, or stop them first.`,
    );
  if (is === 'current')
    throw new Error(`Version ${buildId} is the current one: make another one current first.`);
  if (is === 'ramping')
    throw new Error(`New orders still go to version ${buildId}: run ramp 0 first, or set-current.`);
  const current = versions.find((one) => one.status === 'current');
  if (!current)
    throw new Error('No version is current, which could resume the orders: run set-current first.');
  if (current.pollers === 0)
    throw new Error(
      `No worker of the current version ${current.buildId} asks for work: start its workers first.`,
    );
}
