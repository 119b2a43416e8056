/**
 * A worker process that kills itself with SIGKILL once each of its orders has reached a given moment: before
 * or after the effect of a step.
 */
import pino from 'pino';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createFaultInjector, type Authorizing, type Fault } from '../workflows/saga/fault-injector';
import { HANG_MS } from './eventually';
import { startTestWorker } from './worker';

export interface Crash {
  orderId: string;
  step: string;
  moment: 'before' | 'after';
  authorizing?: Authorizing;
}

const { TASK_QUEUE, CRASHES, MONGODB_URI } = process.env;

async function main(): Promise<void> {
  process.stdin.on('end', () => process.exit()).resume();
  const mongodb = openMongoDb({ uri: MONGODB_URI! }, pino({ level: 'silent' }));
  await mongodb.connected;
  const injector = createFaultInjector();
  const waiting = new Set<Crash>();
  const crashes = JSON.parse(CRASHES!) as Crash[];
  for (const crash of crashes) {
    const arrive = () => {
      waiting.add(crash);
      if (waiting.size === crashes.length) process.kill(process.pid, 'SIGKILL');
      setTimeout(() => giveUp(crashes.filter((other) => !waiting.has(other))), HANG_MS);
      return new Promise<never>(() => undefined);
    };
    const { orderId, step, authorizing } = crash;
    injector.plan(orderId, { authorizing, faults: new Map([[step, crashingAt(crash, arrive)]]) });
  }
  await startTestWorker({
    taskQueue: TASK_QUEUE!,
    connection: mongodb.connection,
    sabotage: injector.sabotage,
    env: process.env,
  });
  process.stdout.write('worker started\n');
}

function crashingAt({ moment }: Crash, arrive: () => Promise<never>): Fault {
  return async (_attempt, effect) => {
    if (moment === 'after') await Promise.allSettled([effect()]); // a rejection is an effect as well
    return arrive();
  };
}

function giveUp(missing: Crash[]): void {
  const moments = missing.map(({ orderId, step, moment }) => `${moment} ${step} of ${orderId}`);
  process.stdout.write(`not reached: ${moments.join(', ')}\n`);
  process.exit(1);
}

void main();
