/**
 * A worker process that kills itself, as `kill -9` would, when every order in its hands has come to the moment that it
 * was told: before or after the effect of a step.
 */
import pino from 'pino';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createSaboteur, type Authorizing, type Fault } from '../workflows/saga/saboteur';
import { startTestWorker } from './worker';

export interface Death {
  orderId: string;
  step: string;
  moment: 'before' | 'after';
  authorizing?: Authorizing;
}

/** For the others, from when the first of them has come. */
const PATIENCE_MS = 60_000;

const { TASK_QUEUE, DEATHS, MONGODB_URI } = process.env;

async function main(): Promise<void> {
  const mongodb = openMongoDb({ uri: MONGODB_URI! }, pino({ level: 'silent' }));
  await mongodb.connected;
  const saboteur = createSaboteur();
  const waiting = new Set<Death>();
  const deaths = JSON.parse(DEATHS!) as Death[];
  for (const death of deaths) {
    const arrive = () => {
      waiting.add(death);
      if (waiting.size === deaths.length) process.kill(process.pid, 'SIGKILL');
      setTimeout(() => giveUp(deaths.filter((other) => !waiting.has(other))), PATIENCE_MS);
      return new Promise<never>(() => undefined);
    };
    const { orderId, step, authorizing } = death;
    saboteur.plan(orderId, { authorizing, faults: new Map([[step, dyingAt(death, arrive)]]) });
  }
  await startTestWorker({
    taskQueue: TASK_QUEUE!,
    connection: mongodb.connection,
    sabotage: saboteur.sabotage,
  });
  process.stdout.write('worker started\n');
}

function dyingAt({ moment }: Death, arrive: () => Promise<never>): Fault {
  return async (_attempt, effect) => {
    if (moment === 'after') await Promise.allSettled([effect()]); // a refusal is an effect too
    return arrive();
  };
}

function giveUp(missing: Death[]): void {
  const moments = missing.map(({ orderId, step, moment }) => `${moment} ${step} of ${orderId}`);
  process.stdout.write(`did not come: ${moments.join(', ')}\n`);
  process.exit(1);
}

void main();
