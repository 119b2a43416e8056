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
}

/** What is sent and repeated in the background, such as events, comes to rest within this time. */
const AT_REST_MS = 60_000;
/** Longer than two attempts of a workflow task that nobody has completed in time. */
const LATE_MS = 240_000;
const LONGEST_TEXT = 2_000;

/** What is wrong after a run, by the rig and by the audit. */
export async function judge(rig: Rig, { log, settlement, badAnswers }: Evidence): Promise<Finding[]> {
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
      expected: 'settled within 2 minutes',
      found,
    })),
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
