/** A worker process of the queue for events. */
import pino from 'pino';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createTemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { testConfig } from './config';
import { startEventWorker } from './event-worker';
import { installRuntime } from './worker';

async function main(): Promise<void> {
  process.stdin.on('end', () => process.exit()).resume();
  installRuntime();
  const mongodb = openMongoDb({ uri: process.env.MONGODB_URI! }, pino({ level: 'silent' }));
  await mongodb.connected;
  const temporal = createTemporalClient(testConfig().temporal, createDataConverter([]));
  const shop = { db: mongodb, temporal, taskQueue: process.env.TASK_QUEUE! };
  await startEventWorker(shop, { WEBHOOK_ALLOWED_NETWORKS: process.env.WEBHOOK_ALLOWED_NETWORKS });
  process.stdout.write('worker started\n');
}

void main();
