import { grouped, markdownTable } from '../../bench/harness/markdown';
import { ORDERS, outcomeOf, PAYMENTS, saleOf, type Change } from './sale';
import { simulate, type Run } from './simulation';

/** The usual orders per second of the sale that is shown; ten times as many in the sale. */
const SALE_RATE = 20;

/** How much longer the long sale takes. */
export const LONGER_SECONDS = 600;
/** No trigger of utilisation, and down at once after the window, as KEDA and the HPA are by themselves. */
const BACKLOG_ALONE = { targetUtilisation: null, scaleDownPodsPerMinute: Infinity };

/** As the chart has it. */
export const DEFAULTS = 'as the chart is';
export const LONG = '15 minutes, by the backlog alone';

const VARIANTS: Record<string, Change> = {
  [DEFAULTS]: {},
  'backlog read every 30 s': { scaling: { pollingSeconds: 30 } },
  'by the backlog alone': { scaling: BACKLOG_ALONE },
  'scale-up stabilised for 60 s': { scaling: { scaleUpStabilisationSeconds: 60 } },
  'pods start in 60 to 180 s': { scaling: { podStartSeconds: [60, 180] } },
  'half the replicas at most': { maxFactor: 0.5 },
  '3 × the replicas beforehand': { minFactor: 3 },
  '5 × the replicas beforehand': { minFactor: 5 },
  '15 minutes instead': { longerSeconds: LONGER_SECONDS },
  [LONG]: { longerSeconds: LONGER_SECONDS, scaling: BACKLOG_ALONE },
};

export function runVariants(): Map<string, Run> {
  return new Map(
    Object.entries(VARIANTS).map(([name, change]) => [name, simulate(saleOf(SALE_RATE, change))]),
  );
}

export function saleTable(runs: ReadonlyMap<string, Run>): string {
  return markdownTable(
    [
      'A sale of 5 minutes',
      'order workers',
      'payment workers',
      'largest backlog, orders',
      'payments',
      'longest answer',
      'longest wait to pay',
      'answered 202',
      'in time again after',
      'drained after',
    ],
    [...runs].map(([name, run]) => row(name, run)),
  );
}

function row(name: string, run: Run): string[] {
  const scenario = saleOf(SALE_RATE, VARIANTS[name]);
  const outcome = outcomeOf(run, scenario);
  const replicas = (station: number) =>
    `${scenario.stations[station]!.replicas} → ${outcome.mostReplicas[station]}`;
  const seconds = (value: number) => `${grouped(value)} s`;
  return [
    name,
    ...[ORDERS, PAYMENTS].map(replicas),
    ...[ORDERS, PAYMENTS].map((station) => grouped(outcome.largestBacklog[station]!)),
    seconds(outcome.longestResponseSeconds),
    seconds(outcome.longestPaymentWaitSeconds),
    `${grouped(100 * outcome.answered202)} %`,
    seconds(outcome.inTimeAgainSeconds),
    seconds(outcome.drainedSeconds),
  ];
}
