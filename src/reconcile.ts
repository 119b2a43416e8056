/** Compares the payment service with the orders: `npm run reconcile -- --from 2026-01-01 --to 2026-02-01 --repair`. */
import { loadConfig } from './config';
import { inOrder } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import { createFindingRepository, type FindingRepository } from './payments/findings/findings.repository';
import { runEntry, stopSignal } from './process/entry';
import { createProcessLogger } from './process/logger';
import { NO_PROGRESS } from './process/progress';
import { reconcile } from './reconcile/follow';
import { parseOptions } from './reconcile/options';
import { createProgress, exitCodeOf, lineOf, summaryOf } from './reconcile/output';
import { createTemporalClient } from './temporal/client';
import { createDataConverter } from './temporal/data-converter';

const LIMIT = 100;

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { request, asJson } = parseOptions(process.argv.slice(2));
  const config = loadConfig('worker', env);
  // Standard output is for findings alone.
  const logger = createProcessLogger(config, 'reconcile', inOrder(2));
  const stopping = new AbortController();
  void stopSignal().then(() => stopping.abort());
  const temporal = createTemporalClient(config.temporal, createDataConverter(config.payloadKeys));
  const mongodb = openMongoDb(config.mongodb, logger);
  const isForPeople = !asJson || process.stderr.isTTY;
  const progress = isForPeople ? createProgress(process.stderr) : NO_PROGRESS;
  try {
    const { signal } = stopping;
    const onProgress = progress.show;
    const run = await reconcile(request, { temporal, queues: config.temporal, onProgress, signal });
    progress.end();
    await printOpen(createFindingRepository(mongodb.connection), asJson);
    if (isForPeople) process.stderr.write(`${summaryOf(run)}\n`);
    else logger.info({ from: run.from, to: run.to, ...run.counts }, 'reconciled');
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

runEntry(main, { failureCode: 2, isForPeople: process.stderr.isTTY || !process.argv.includes('--json') });
