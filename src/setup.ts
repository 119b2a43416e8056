/** Prepares MongoDB (indexes) and Temporal (Schedules, search attributes). Run before a new version starts; safe to repeat. */
import { setTimeout as delay } from 'node:timers/promises';
import { runEntry } from './process/entry';
import { loadConfig } from './config';
import { beginFeed } from './events/begin-feed';
import { createProcessLogger } from './process/logger';
import { noteSchemas } from './migrations/schemas';
import { openMongoDb } from './mongodb/mongodb';
import { createIndexes } from './setup/indexes';
import { createSchedules } from './setup/schedules';
import { createUpkeepRepository } from './upkeep/upkeep.repository';
import { createSearchAttributes, openSetupConnection } from './setup/search-attributes';

const CONNECT_TIMEOUT_MS = 30_000;

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('setup', env);
  const logger = createProcessLogger(config, 'setup');
  const { address, namespace } = config.temporal;
  const mongodb = openMongoDb(config.mongodb, logger);
  const temporal = openSetupConnection(config.temporal, CONNECT_TIMEOUT_MS);
  try {
    await inTime(mongodb.connected, 'MongoDB does not respond: start it, or correct MONGODB_URI.');
    await noteSchemas(mongodb.connection);
    await createIndexes(mongodb.connection);
    await beginFeed(mongodb.connection);
    await createUpkeepRepository(mongodb.connection).expectAll();
    await inTime(
      temporal.ensureConnected(),
      `Temporal does not respond at ${address}: start it, or correct TEMPORAL_ADDRESS, TEMPORAL_TLS…, TEMPORAL_API_KEY.`,
    );
    const schedules = await createSchedules(temporal, config.temporal);
    const added = await createSearchAttributes(temporal, namespace);
    logger.info({ searchAttributes: added, schedules }, 'set up');
  } finally {
    await temporal.close();
    await mongodb.close();
  }
}

/** @throws {Error} with this message if the connection fails or takes too long */
async function inTime(connected: Promise<void>, message: string): Promise<void> {
  const late = delay(CONNECT_TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`);
  });
  await Promise.race([connected, late]).catch((cause: unknown) => {
    throw new Error(message, { cause });
  });
}

runEntry(main);
