/** Looks for damage in orders, stock, workflows, events and payments: `npm run audit:orders -- --repair`. */
import pino from 'pino';
import { auditOrders, auditWorkflowId } from './audit-orders/follow';
import { parseOptions } from './audit-orders/options';
import { createProgress, exitCodeOf, lineOf, summaryOf } from './audit-orders/output';
import { loadConfig } from './config';
import { auditRunName } from './domain/orders-audit';
import { openMongoDb } from './mongodb/mongodb';
import { createAuditFindingRepository } from './orders-audit/findings.repository';
import { createFindingRepository } from './payments/findings/findings.repository';
import { runEntry, stopSignal } from './process/entry';
import { createProcessLogger } from './process/logger';
import { NO_PROGRESS } from './process/progress';
import { lineOf as lineOfPayment } from './reconcile/output';
import { createTemporalClient } from './temporal/client';
import { createDataConverter } from './temporal/data-converter';

const LIMIT = 100;

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { request, asJson } = parseOptions(process.argv.slice(2));
  const config = loadConfig('worker', env);
  // Standard output is for findings alone.
  const logger = createProcessLogger(config, 'audit-orders', pino.destination(2));
  const stopping = new AbortController();
  void stopSignal().then(() => stopping.abort());
  const temporal = createTemporalClient(config.temporal, createDataConverter(config.payloadKeys));
  const mongodb = openMongoDb(config.mongodb, logger);
  const isForPeople = !asJson || process.stderr.isTTY;
  const progress = isForPeople ? createProgress(process.stderr) : NO_PROGRESS;
  try {
    const { signal } = stopping;
    const onProgress = progress.show;
    const run = await auditOrders(request, { temporal, queues: config.temporal, onProgress, signal });
    progress.end();
    const findings = createAuditFindingRepository(mongodb.connection);
    const payments = createFindingRepository(mongodb.connection);
    const name = auditRunName(auditWorkflowId(config.temporal.taskQueue), run);
    await print((page) => findings.repairedBy(name, page), asJson ? JSON.stringify : lineOf);
    await print(findings.open, asJson ? JSON.stringify : lineOf);
    await print(payments.open, asJson ? JSON.stringify : lineOfPayment);
    if (isForPeople) process.stderr.write(`${summaryOf(run)}\n`);
    else logger.info({ ...run.counts, open: run.open }, 'orders audited');
    process.exitCode = exitCodeOf(run);
  } finally {
    progress.end();
    await temporal.close();
    await mongodb.close();
  }
}

/** Prints all findings of a list, a page at a time. */
async function print<T extends { id: string }>(
  list: (page: { after: string | null; limit: number }) => Promise<T[]>,
  lineOf: (one: T) => string,
): Promise<void> {
  for (let after: string | null = null, isLast = false; !isLast;) {
    const part = await list({ after, limit: LIMIT });
    for (const one of part) process.stdout.write(`${lineOf(one)}\n`);
    isLast = part.length < LIMIT;
    after = part.at(-1)?.id ?? null;
  }
}

runEntry(main, { failureCode: 2, isForPeople: process.stderr.isTTY || !process.argv.includes('--json') });
