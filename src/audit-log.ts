/**
 * Verifies the audit log: `npm run audit:log`, or `npm run audit:log -- <hash>…` with hashes that the log of the workers has
 * named. Exits with 1 if an entry was removed, changed or inserted, or is not sealed.
 */
import { verifyAuditLog } from './audit/verify';
import { runEntry } from './process/entry';
import { loadConfig } from './config';
import { createProcessLogger } from './process/logger';
import { openMongoDb } from './mongodb/mongodb';

/** How long it waits for MongoDB, in milliseconds: it looks at every entry. */
const RESPONSE_TIMEOUT_MS = 3_600_000;

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const known = process.argv.slice(2);
  const wrong = known.find((hash) => !/^[0-9a-f]{64}$/.test(hash));
  if (wrong !== undefined)
    throw new Error(`${wrong} is not a hash: name hashes of 64 hexadecimal digits, or none.`);
  const config = loadConfig('setup', env);
  const logger = createProcessLogger(config, 'audit-log');
  const mongodb = openMongoDb({ ...config.mongodb, responseTimeoutMs: RESPONSE_TIMEOUT_MS }, logger);
  try {
    await mongodb.connected;
    const keptSince = new Date(Date.now() - config.audit.retentionMs);
    const { flaws, ...found } = await verifyAuditLog(mongodb.connection, { known, keptSince });
    for (const flaw of flaws) logger.error(flaw, 'flaw of the audit log');
    if (flaws.length > 0)
      throw new Error(`The audit log has ${flaws.length} flaws: see the log lines above.`);
    logger.info(found, 'the audit log is as it was sealed');
  } finally {
    await mongodb.close();
  }
}

runEntry(main);
