/** Compares the payment service with the orders: `npm run reconcile -- --from 2026-01-01 --to 2026-02-01 --repair`. */
import { runEntry, stopSignal } from './common/entry';
import { loadConfig } from './config';
import { createLogger } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import { createFindingRepository, type FindingRepository } from './payments/findings/findings.repository';
import { reconcile } from './reconcile/follow';
import { parseOptions } from './reconcile/options';
import { createProgress, exitCodeOf, lineOf, summaryOf } from './reconcile/output';
import { createTemporalClient } from './temporal/client';
import { createDataConverter } from './temporal/data-converter';

const LIMIT = 100;

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { request, asJson } = parseOptions(process.argv.slice(2));
  const config = loadConfig('worker', env);
  const logger = createLogger(config).child({ process: 'reconcile' });
  const stopping = new AbortController();
  void stopSignal().then(() => stopping.abort());
  const temporal = createTemporalClient(config.temporal, createDataConverter(config.payloadKeys));
  const mongodb = openMongoDb(config.mongodb, logger);
  const progress = createProgress(process.stderr);
  try {
    const { signal } = stopping;
    const onProgress = progress.show;
    const run = await reconcile(request, { temporal, queues: config.temporal, onProgress, signal });
    progress.end();
    await printOpen(createFindingRepository(mongodb.connection), asJson);
    process.stderr.write(`${summaryOf(run)}\n`);
    process.exitCode = exitCodeOf(run);
  } finally {
    progress.end();
    await temporal.close();
    await mongodb.close();
  }
}

/** Prints all findings that are open, those of other periods too. */
async function printOpen(findings: FindingRepository, asJson: boolean): Promise<void> {
  for (let after: string | null = null, isLast = false; !isLast;) {
    const part = await findings.open({ after, limit: LIMIT });
    for (const one of part) process.stdout.write(`${asJson ? JSON.stringify(one) : lineOf(one)}\n`);
    isLast = part.length < LIMIT;
    after = part.at(-1)?.id ?? null;
  }
}

runEntry(main, { failureCode: 2 });
