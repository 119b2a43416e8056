import type { CallRecord } from './log';
import type { Finding } from './report';
import type { Rig } from './rig/rig';
import type { Settlement } from './settle';

/** What is wrong after a run, by all who judge it. */
export async function judge(
  rig: Rig,
  {
    log,
    settlement,
    badAnswers,
  }: { log: readonly CallRecord[]; settlement: Settlement; badAnswers: readonly string[] },
): Promise<Finding[]> {
  void log;
  return [
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
