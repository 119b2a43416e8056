import { auditUntilClean } from './audit';
import type { CallRecord } from './log';
import type { Finding } from './report';
import type { Rig } from './rig/rig';
import type { Settlement } from './settle';

const CAUGHT_UP_MS = 30_000;
const LONGEST_TEXT = 2_000;

function addressesOf({ mongodbUri, temporalAddress, namespace }: Rig) {
  return { mongodbUri, temporalAddress, namespace };
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

/** What is wrong after a run, by all who judge it. */
export async function judge(
  rig: Rig,
  {
    log,
    settlement,
    badAnswers,
  }: { log: readonly CallRecord[]; settlement: Settlement; badAnswers: readonly string[] },
): Promise<Finding[]> {
  // Events and what Temporal shows follow the orders.
  const audited = await auditUntilClean({ ...addressesOf(rig), log }, { withinMs: CAUGHT_UP_MS });
  return [
    ...audited.map(({ kind, subject, expected, found }) => ({
      kind,
      subject,
      expected: textOf(expected),
      found: textOf(found),
    })),
    ...settlement.unsettled.map((found) => ({
      kind: 'liveness',
      subject: found.split(' ')[0]!,
      expected: 'settled within 2 minutes',
      found,
    })),
    ...rig.deaths.map((death) => ({
      kind: 'process',
      subject: death.split(' ')[0]!,
      expected: 'to run until the rig ends it',
      found: death,
    })),
    ...badAnswers.map((found) => ({
      kind: 'answer',
      subject: 'the API',
      expected: 'no 5xx but 503 with Retry-After',
      found,
    })),
  ];
}
