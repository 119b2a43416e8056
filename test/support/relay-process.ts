/** A process that relays events, and begins again when another one has taken over or anything fails, as Temporal makes workers do. */
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createTestRelay } from './relay';

async function main(): Promise<void> {
  process.stdin.on('end', () => process.exit()).resume();
  const mongodb = openMongoDb({ uri: process.env.MONGODB_URI! }, pino({ level: 'silent' }));
  await mongodb.connected;
  const relay = createTestRelay(mongodb.connection);
  const { signal } = new AbortController();
  process.stdout.write('relaying\n');
  for (;;) {
    await relay({ signal }).catch(() => undefined);
    await delay(500 + 1_000 * Math.random()); // two would take over from each other all the time
  }
}

void main();
