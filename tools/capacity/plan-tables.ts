import { PLACING, FULFILLING, type StageCounts } from '../../bench/counts';
import { meanWaitSeconds, waitProbability } from './erlang';
import { MONGODB, PROCESSES, TEMPORAL_SERVER, TRAFFIC } from './assumptions';
import { grouped, markdownTable, sized } from '../../bench/harness/markdown';
import {
  FULFILLING_COST,
  openBytes,
  planFor,
  PLACING_COST,
  retainedBytes,
  storageOf,
  type Plan,
  type StageCost,
} from './plan';

/** Orders per second of the plan. */
const STEPS = [10, 667, 1_000, 10_000] as const;

/** The cost of one order, by stage. */
export function countsTable(): string {
  const counted: [string, (counts: StageCounts) => number][] = [
    ['History events', ({ events }) => events],
    ['History, bytes, at most', ({ historyBytes }) => historyBytes],
    ['State transitions', ({ stateTransitions }) => stateTransitions],
    ['Workflow starts', ({ workflowStarts }) => workflowStarts],
    ['Updates', ({ updates }) => updates],
    ['Workflow tasks', ({ workflowTasks }) => workflowTasks],
    ['Local activities', ({ localActivities }) => localActivities],
    ['– workflow tasks with any', ({ workflowTasksWithMarkers }) => workflowTasksWithMarkers],
    ['Activities', ({ activities }) => activities],
    ['Timers', ({ timers }) => timers],
    ['Search attribute upserts', ({ searchAttributeUpserts }) => searchAttributeUpserts],
    ['Calls of Temporal by the API', ({ apiCalls }) => apiCalls.length],
    ['MongoDB commands, with the sandbox', ({ mongoDbCommands }) => mongoDbCommands.length],
  ];
  const derived: [string, keyof StageCost][] = [
    ['MongoDB commands, without it', 'mongoDbCommands'],
    ['**Actions**', 'actions'],
    ['**gRPC requests to Temporal**', 'temporalRequests'],
    ['Calls to the payment service', 'paymentCalls'],
  ];
  return markdownTable(
    ['Per order of one line', 'placing', 'fulfilling, delivering', 'whole life'],
    [
      ...counted.map(([name, of]) => stages(name, of(PLACING), of(FULFILLING))),
      ...derived.map(([name, key]) => stages(name, PLACING_COST[key], FULFILLING_COST[key])),
    ],
  );
}

function stages(name: string, placing: number, fulfilling: number): string[] {
  return [name, ...[placing, fulfilling, placing + fulfilling].map(grouped)];
}

/** The needs of each step. */
export function planTable(): string {
  const rows: [string, (plan: Plan) => string][] = [
    ['Actions/s', (plan) => grouped(plan.actionsPerSecond)],
    ['– in a sale', (plan) => grouped(plan.saleActionsPerSecond)],
    ['gRPC requests to Temporal/s', (plan) => grouped(plan.temporalRequestsPerSecond)],
    ['Temporal Cloud: TRUs', ({ trus }) => orNone(trus)],
    ['– in a sale', ({ saleTrus }) => orNone(saleTrus)],
    ['Temporal Cloud: namespaces', (plan) => grouped(plan.namespaces)],
    ['– in a sale', (plan) => grouped(plan.saleNamespaces)],
    ['State transitions/s', (plan) => grouped(plan.stateTransitionsPerSecond)],
    ['– in a sale', (plan) => grouped(plan.saleStateTransitionsPerSecond)],
    ['Own Temporal: history shards', (plan) => grouped(plan.historyShards)],
    ['Own Temporal: cores', (plan) => grouped(plan.temporalCores)],
    ['– in a sale', (plan) => grouped(plan.saleTemporalCores)],
    ['– cores of its database', (plan) => grouped(plan.temporalDatabaseCores)],
    ['– in a sale', (plan) => grouped(plan.saleTemporalDatabaseCores)],
    ['Open workflows', (plan) => grouped(plan.openWorkflows)],
    ['MongoDB commands/s', (plan) => grouped(plan.mongoDbCommandsPerSecond)],
    ['– in a sale', (plan) => grouped(plan.saleMongoDbCommandsPerSecond)],
    ['MongoDB shards, for a sale', (plan) => grouped(plan.mongoDbShards)],
    ['Requests to Stripe/s', (plan) => grouped(plan.paymentRequestsPerSecond)],
    ['– in a sale', (plan) => grouped(plan.salePaymentRequestsPerSecond)],
    ['Orders of one product, at most', shareOfOneProduct],
    ['API processes', (plan) => grouped(plan.apiProcesses)],
    ['– in a sale', (plan) => grouped(plan.saleApiProcesses)],
    ['Order workers', (plan) => grouped(plan.orderWorkers)],
    ['– in a sale', (plan) => grouped(plan.saleOrderWorkers)],
    ['Payment workers', (plan) => grouped(plan.paymentWorkers)],
    ['– in a sale', (plan) => grouped(plan.salePaymentWorkers)],
  ];
  const plans = STEPS.map(planFor);
  return markdownTable(
    ['', ...STEPS.map((step) => `${grouped(step)} orders/s`)],
    rows.map(([name, of]) => [name, ...plans.map(of)]),
  );
}

function orNone(count: number): string {
  return count === 0 ? 'none' : grouped(count);
}

/** An order changes a product's stock in two transactions: when it is placed, and when it is fulfilled. */
function shareOfOneProduct({ ordersPerSecond }: Plan): string {
  const share = MONGODB.transactionsPerProductSecond / 2 / ordersPerSecond;
  return share >= 1 ? 'all' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/**
 * How long a placed order waits for an order worker in a sale of the first step, by the number of workers. A
 * worker counts as one server that places one order at a time.
 */
export function waitsTable(): string {
  const arrivalsPerSecond = STEPS[0] * TRAFFIC.saleFactor;
  const meanServiceSeconds = PROCESSES.placingCpuSeconds;
  const least = Math.floor(arrivalsPerSecond * meanServiceSeconds) + 1;
  const rows = [0, 1, 2, 4].map((more) => {
    const queue = { arrivalsPerSecond, meanServiceSeconds, servers: least + more };
    const busy = (arrivalsPerSecond * meanServiceSeconds) / queue.servers;
    return [
      grouped(queue.servers),
      `${grouped(100 * busy)} %`,
      `${grouped(100 * waitProbability(queue))} %`,
      `${(1_000 * meanWaitSeconds(queue)).toPrecision(2)} ms`,
    ];
  });
  return markdownTable(['Order workers', 'busy', 'orders that wait', 'mean wait of all orders'], rows);
}

/** The disk space of orders. */
export function storageTable(): string {
  const { mongoDbDocuments, mongoDbIndexes, temporal } = storageOf(1_000_000);
  const inEach = (bytes: (plan: Plan) => number) => STEPS.map((step) => sized(bytes(planFor(step))));
  const perYear = (ordersPerSecond: number) => {
    const year = storageOf(ordersPerSecond * 365 * 86_400);
    return year.mongoDbDocuments + year.mongoDbIndexes;
  };
  return markdownTable(
    ['Before compression, one copy', 'per million orders', ...STEPS.map((step) => `at ${grouped(step)}/s`)],
    [
      ['MongoDB: documents', sized(mongoDbDocuments), ...STEPS.map(() => '')],
      ['MongoDB: indexes', sized(mongoDbIndexes), ...STEPS.map(() => '')],
      ['MongoDB: both, of a year', '', ...inEach((plan) => perYear(plan.ordersPerSecond))],
      ['Temporal: closed', sized(temporal), ...STEPS.map(() => '')],
      ...TEMPORAL_SERVER.retentionDays.map((days) => [
        `Temporal: closed, kept ${days} ${days === 1 ? 'day' : 'days'}`,
        '',
        ...inEach((plan) => retainedBytes(plan.ordersPerSecond, days)),
      ]),
      ['Temporal: open', '', ...inEach(openBytes)],
    ],
  );
}

/** The assumptions of the plan. */
export function assumptionsTable(): string {
  const { apiRequestCpuSeconds, placingCpuSeconds, fulfillingCpuSeconds, paymentSeconds } = PROCESSES;
  const ms = (seconds: number) => `${grouped(1_000 * seconds)} ms`;
  return markdownTable(
    ['Assumed', '', 'to be replaced by'],
    [
      ['CPU of the API per request', ms(apiRequestCpuSeconds), 'a measurement there (bench: 1 to 8 ms)'],
      ['CPU of an order worker to place an order', ms(placingCpuSeconds), 'the same (bench: 18 to 23 ms)'],
      [
        'CPU of an order worker to fulfill and deliver it',
        ms(fulfillingCpuSeconds),
        'the same (bench: 30 ms)',
      ],
      ['A call to the payment service takes', ms(paymentSeconds), 'its own p50'],
      ['Payments at a time per payment worker', grouped(PROCESSES.paymentSlots), 'the setting (a default)'],
      ['Processes are busy at most', `${100 * PROCESSES.utilization} %`, 'what p99 allows'],
      ['GETs of an order over its life', grouped(TRAFFIC.readsPerOrder), 'the access log'],
      ['Days from placing to delivery', grouped(TRAFFIC.openDays), 'the shop'],
      ['A sale, times the usual rate', grouped(TRAFFIC.saleFactor), 'the shop'],
      [
        'Commands/s of one MongoDB primary',
        grouped(MONGODB.commandsPerPrimarySecond),
        'a measurement under load',
      ],
      [
        'Transactions/s on one product',
        grouped(MONGODB.transactionsPerProductSecond),
        'the same (prototypes: 74 to 109; of one process 340 to 380)',
      ],
      ['Index bytes per order in MongoDB', grouped(MONGODB.indexBytesPerOrder), '`collStats`'],
      [
        'State transitions/s per history shard',
        grouped(TEMPORAL_SERVER.transitionsPerShardSecond),
        'shard lock latency',
      ],
      [
        'State and visibility in Temporal, bytes',
        grouped(TEMPORAL_SERVER.stateBytes),
        'the size of its tables',
      ],
    ],
  );
}
