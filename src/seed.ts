/** Adds demo users and a small catalogue to a development database. Safe to repeat: existing documents stay. */
import { runEntry } from './process/entry';
import { loadConfig } from './config';
import { createProcessLogger } from './process/logger';
import { openMongoDb } from './mongodb/mongodb';
import { seed } from './seed/seed';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('setup', env);
  const logger = createProcessLogger(config, 'seed');
  const mongodb = openMongoDb(config.mongodb, logger);
  try {
    await mongodb.connected;
    logger.info(await seed(mongodb.connection, config.env), 'seeded');
  } finally {
    await mongodb.close();
  }
}

runEntry(main);
