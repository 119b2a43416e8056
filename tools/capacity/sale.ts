import type { ScalingRules } from './autoscaler';
import { PROCESSES, TRAFFIC } from './assumptions';
import { helmRules } from './helm-rules';
import type { Phase, Response, Run, Scenario } from './simulation';
import type { StationRules } from './station';

/** Where an order is worked on, by index. */
export const ORDERS = 0;
export const PAYMENTS = 1;

/** When POST /orders stops waiting and answers 202, seconds: the default of PLACE_ORDER_TIMEOUT_MS. */
const ANSWER_WITHIN_SECONDS = 5;

/** When the sale begins and ends, and when the run does, seconds. */
export const SALE = { begins: 120, ends: 420, watchedUntil: 900 } as const;

const SAMPLE_SECONDS = 5;
const SEED = 20_261_124;

/** As the chart has it (deploy/helm); how often the HPA decides is Kubernetes' default, how long a pod starts assumed. */
const SCALING = {
  syncSeconds: 15,
  scaleUpStabilisationSeconds: 0,
  scaleDownStabilisationSeconds: 300,
  scaleDownPodsPerMinute: 1,
  podStartSeconds: [20, 40],
} as const satisfies Partial<ScalingRules>;

/** Part of the placing that is done before the payment: pricing and opening take three of five activations. */
const BEFORE_PAYMENT = 0.6;

/** What a variant of the sale changes. */
export interface Change {
  /** Replicas at least, as a multiple of what the usual rate needs. */
  minFactor?: number;
  /** Replicas at most, as a multiple of what the sale needs. */
  maxFactor?: number;
  scaling?: Partial<ScalingRules>;
  /** How much longer the sale takes, seconds. */
  longerSeconds?: number;
}

/** A sale on top of the usual rate, from so many replicas as the usual rate needs to as many as the sale does. */
export function saleOf(ordersPerSecond: number, change: Change = {}): Scenario {
  const saleRate = ordersPerSecond * TRAFFIC.saleFactor;
  const { longerSeconds = 0 } = change;
  const { placingCpuSeconds, paymentSeconds, paymentSlots, workflowTaskSlots } = PROCESSES;
  const before = { station: ORDERS, meanSeconds: placingCpuSeconds * BEFORE_PAYMENT };
  const after = { station: ORDERS, meanSeconds: placingCpuSeconds * (1 - BEFORE_PAYMENT) };
  const workers = (one: Workers) => stationOf(one, ordersPerSecond, saleRate, change);
  return {
    seed: SEED,
    phases: [
      { untilSeconds: SALE.begins, ordersPerSecond },
      { untilSeconds: SALE.ends + longerSeconds, ordersPerSecond: saleRate },
      { untilSeconds: SALE.watchedUntil + longerSeconds, ordersPerSecond },
    ],
    stations: [
      workers({
        name: 'order workers',
        rules: helmRules('orderWorker'),
        parallelism: 1,
        slots: workflowTaskSlots,
        busySeconds: placingCpuSeconds,
      }),
      workers({
        name: 'payment workers',
        rules: helmRules('paymentWorker'),
        parallelism: paymentSlots,
        slots: paymentSlots,
        busySeconds: paymentSeconds,
      }),
    ],
    route: [before, { station: PAYMENTS, meanSeconds: paymentSeconds }, after],
    sampleSeconds: SAMPLE_SECONDS,
  };
}

interface Workers {
  name: string;
  rules: ReturnType<typeof helmRules>;
  parallelism: number;
  slots: number;
  /** Per order, over all of its visits. */
  busySeconds: number;
}

function stationOf(workers: Workers, usualRate: number, saleRate: number, change: Change): StationRules {
  const { name, rules, parallelism, slots, busySeconds } = workers;
  const replicasFor = (rate: number) =>
    Math.max(PROCESSES.atLeast, Math.ceil((rate * busySeconds) / parallelism / PROCESSES.utilisation));
  const minReplicas = Math.ceil(replicasFor(usualRate) * (change.minFactor ?? 1));
  const maxReplicas = Math.max(minReplicas, Math.ceil(replicasFor(saleRate) * (change.maxFactor ?? 1)));
  const scaling = { ...SCALING, ...rules, minReplicas, maxReplicas, ...change.scaling };
  return { name, parallelism, slots, replicas: minReplicas, scaling };
}

export interface SaleOutcome {
  /** Part of the sale's orders that took longer than POST waits: their POST was answered 202. */
  answered202: number;
  longestResponseSeconds: number;
  /** Waits for a payment worker; above 120 s, the time-out in `payment.steps.ts`, orders would be rejected. */
  longestPaymentWaitSeconds: number;
  /** The most tasks that waited, by station. */
  largestBacklog: number[];
  /** The most replicas that polled, by station. */
  mostReplicas: number[];
  /** From the beginning of the sale until nobody waits longer than POST does, seconds; 0 when nobody did. */
  inTimeAgainSeconds: number;
  /** The same until the backlog is less than a second of the usual rate, and stays so, seconds. */
  drainedSeconds: number;
}

export function outcomeOf({ responses, samples, stations }: Run, { phases }: Scenario): SaleOutcome {
  const [usual, sale] = phases as [Phase, Phase];
  const ofSale = responses.filter(
    ({ placedAt }) => placedAt > usual.untilSeconds && placedAt <= sale.untilSeconds,
  );
  const isLate = ({ seconds }: Response) => seconds > ANSWER_WITHIN_SECONDS;
  const late = responses.filter(isLate);
  const most = (of: (state: Run['samples'][number]['stations'][number]) => number) =>
    stations.map((_totals, index) => greatest(samples.map((sample) => of(sample.stations[index]!))));
  const full = samples.filter(({ stations: states }) =>
    states.some(({ waiting }) => waiting > usual.ordersPerSecond),
  );
  const sinceSale = (at: number) => Math.max(0, at - SALE.begins);
  return {
    answered202: ofSale.filter(isLate).length / ofSale.length,
    longestResponseSeconds: greatest(responses.map(({ seconds }) => seconds)),
    longestPaymentWaitSeconds: stations[PAYMENTS]!.longestWaitSeconds,
    largestBacklog: most(({ waiting }) => waiting),
    mostReplicas: most(({ ready }) => ready),
    inTimeAgainSeconds: sinceSale(greatest(late.map(({ placedAt }) => placedAt))),
    drainedSeconds: sinceSale(greatest(full.map(({ at }) => at))),
  };
}

/** `Math.max` takes only so many arguments. */
function greatest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
