/** A worker process that kills itself, as `kill -9` would, before or after the effect of one step. */
import { openMongoDb } from '../../src/mongodb/mongodb';
import type { Activities } from '../../src/worker';
import pino from 'pino';
import { startTestWorker } from './worker';

const { TASK_QUEUE, DIE_AT, MONGODB_URI } = process.env;

function mortal(activities: Activities): Activities {
  const entries = Object.entries(activities).map(([name, activity]) => {
    const run = activity as (...args: unknown[]) => Promise<unknown>;
    const step = async (...args: unknown[]) => {
      if (DIE_AT === `before ${name}`) process.kill(process.pid, 'SIGKILL');
      const result = await run(...args);
      if (DIE_AT === `after ${name}`) process.kill(process.pid, 'SIGKILL');
      return result;
    };
    return [name, step];
  });
  return Object.fromEntries(entries) as Activities;
}

async function main(): Promise<void> {
  const mongodb = openMongoDb({ uri: MONGODB_URI! }, pino({ level: 'silent' }));
  await mongodb.connected;
  await startTestWorker({ taskQueue: TASK_QUEUE!, connection: mongodb.connection, sabotage: mortal });
  process.stdout.write('worker started\n');
}

void main();
