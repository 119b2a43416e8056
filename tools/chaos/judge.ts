import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mongo } from 'mongoose';
import { auditUntilClean, FINDING_KINDS } from './audit';
import type { CallRecord } from './log';
import type { Finding } from './report';
import type { Rig } from './rig/rig';
import type { Settlement } from './settle';

export interface Evidence {
  log: readonly CallRecord[];
  settlement: Settlement;
  /** What no answer may be. */
  badAnswers: readonly string[];
  /** How long after the last fault all processes did their work again, if that was waited for. */
  readyS?: number;
}

/** What is sent and repeated in the background, such as events, comes to rest within this time. */
const AT_REST_MS = 60_000;
/** Longer than two attempts of a workflow task that nobody has completed in time. */
const LATE_MS = 240_000;
const LONGEST_TEXT = 2_000;

/** What is wrong after a run, by the rig and by the audit. */
export async function judge(rig: Rig, evidence: Evidence): Promise<Finding[]> {
  const { log, settlement, badAnswers } = evidence;
  const { mongodbUri, temporalAddress, namespace } = rig;
  const audited = await auditUntilClean(
    { mongodbUri, temporalAddress, namespace, log },
    { withinMs: AT_REST_MS, lateMs: LATE_MS },
  );
  return [
    ...audited.map(({ kind, subject, expected, found }) => ({
      kind,
      means: FINDING_KINDS[kind],
      subject,
      expected: text(expected),
      found: text(found),
    })),
    ...settlement.unsettled.map((found) => ({
      kind: 'liveness',
      means: 'An order that was accepted is not settled without help',
      subject: found.split(' ')[0]!,
      expected: `settled within ${settlement.limitS} s`,
      found,
    })),
    ...notLive(evidence),
    ...rig.deaths.map((death) => ({
      kind: 'process',
      means: 'A process has died of itself',
      subject: death.split(' ')[0]!,
      expected: 'to run until the rig ends it',
      found: death,
    })),
    ...badAnswers.map((found) => ({
      kind: 'answer',
      means: 'The API has answered with an error of its own',
      subject: 'the API',
      expected: 'no 5xx but 503 with Retry-After',
      found,
    })),
  ];
}

const MOST_TOLD = 20;

/** Returns what has no end though nothing disturbs it any more: calls without an outcome, and processes that are not ready. */
export function notLive({ log, settlement: { limitS }, readyS = 0 }: Evidence): Finding[] {
  const finding = { kind: 'liveness', expected: `within ${limitS} s after the last fault` };
  // Of a cart that is ordered, nobody knows by which of several requests.
  const unknown = log.filter(({ outcome, code }) => outcome === 'unknown' && code !== 'cart_ordered');
  return [
    ...unknown.slice(0, MOST_TOLD).map(({ id, op, status, code, attempts }) => ({
      ...finding,
      means: 'A call that was repeated until then has no outcome',
      subject: id,
      found: `${op}: ${status ?? 'no answer'} ${code ?? ''} after ${attempts.length} attempts; ${unknown.length} such calls`,
    })),
    ...(readyS > limitS
      ? [
          {
            ...finding,
            means: 'Not all processes do their work again',
            subject: 'the processes',
            found: `${readyS.toFixed(0)} s`,
          },
        ]
      : []),
  ];
}

function text(value: unknown): string {
  const whole = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return whole.length > LONGEST_TEXT ? `${whole.slice(0, LONGEST_TEXT)}…` : whole;
}

/** Writes the findings, and all that is stored of what they are about, to a file, for those who look for the cause. */
export async function keepEvidence(
  { mongodbUri }: Pick<Rig, 'mongodbUri'>,
  findings: readonly Finding[],
  folder: string,
): Promise<void> {
  const client = new mongo.MongoClient(mongodbUri);
  try {
    const db = client.db();
    const subjects = [...new Set(findings.map(({ subject }) => subject.replace(/^\w+:/, '')))];
    const stored = {
      orders: await db
        .collection('orders')
        .find({ _id: { $in: subjects as never[] } })
        .toArray(),
      events: await db
        .collection('events')
        .find({ object: { $in: subjects } })
        .toArray(),
      payments: await db
        .collection('sandbox_payments')
        .find({ orderId: { $in: subjects } })
        .toArray(),
      products: await db
        .collection('product_services')
        .find({ _id: { $in: subjects as never[] } })
        .toArray(),
    };
    await writeFile(join(folder, 'findings.json'), JSON.stringify({ findings, stored }, null, 2));
  } finally {
    await client.close();
  }
}
