/** The worker process of the shop that the test files of one Jest process share. */
import pino from 'pino';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { startTestWorker } from './worker';

const { TASK_QUEUE, MONGODB_URI } = process.env;

async function main(): Promise<void> {
  process.stdin.on('end', () => process.exit()).resume();
  const { connection, connected } = openMongoDb({ uri: MONGODB_URI! }, pino({ level: 'silent' }));
  await connected;
  await startTestWorker({ taskQueue: TASK_QUEUE!, connection });
}

void main();
