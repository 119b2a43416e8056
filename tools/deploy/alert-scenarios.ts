import { stringify } from 'yaml';

/** What Prometheus is given, and the alert that follows from it. A minute is a sample. */
export interface AlertScenario {
  alert: string;
  /** Samples by series, beside those of a healthy system, without the label `job`. */
  series: Record<string, Sample[]>;
  /** Minutes after which it is firing. */
  fires: number;
  /** How many alerts of this name: by queue, component or severity. */
  count?: number;
  /** Other alerts that have to fire at that time, with their count. */
  others?: Record<string, number>;
  /** Minutes after which nothing fires any more. */
  clears: number;
}

type Sample = number | 'stale';
type Phase = [value: number, minutes: number];

/** The series is not there while a fault lasts. */
const absent = (): Sample[] => fault(-1).map((value) => (value < 0 ? 'stale' : 0.2));

/** A gauge that has one value after the other. */
const gauge = (...phases: Phase[]): number[] =>
  phases.flatMap(([value, minutes]) => Array<number>(minutes).fill(value));

/** A counter that increases by so much a minute. */
function counter(...phases: Phase[]): number[] {
  let total = 0;
  return gauge(...phases).map((perMinute) => (total += perMinute));
}

const UP = (component: string, instance = 'a') => `up{component="${component}",instance="${instance}"}`;
const HEALTHY: Record<string, Sample[]> = {
  [UP('api')]: gauge([1, 500]),
  [UP('worker')]: gauge([1, 500]),
  'mongodb_up{component="other"}': gauge([1, 500]),
  events_lag_seconds: gauge([0.2, 500]),
};
/** Long enough for every `for` and window of the symptoms, before, during and after. */
const fault = (bad: number, good = 0): number[] => gauge([good, 10], [bad, 30], [good, 60]);
const FAULT = { fires: 38, clears: 90 };

const requests = (status: number, route = '/orders', method = 'POST') =>
  `http_server_request_duration_seconds_count{http_request_method="${method}",http_route="/x${route}",http_response_status_code="${status}"}`;
const backlog = (queue: string) =>
  `temporal_task_queue_backlog_age_seconds{task_queue="${queue}",task_type="activity"}`;
const pollers = (queue: string) => `temporal_num_pollers{task_queue="${queue}",poller_type="activity_task"}`;

/** Of the SLOs: what is in time, and what is not, for half an hour. */
const GOOD = counter([60, 500]);
const BAD = counter([0, 60], [60, 30], [0, 410]);

const late = (histogram: string, le: string): Record<string, number[]> => ({
  [`${histogram}_bucket{le="${le}"}`]: GOOD,
  [`${histogram}_count`]: GOOD.map((good, minute) => good + BAD[minute]!),
});

const FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})';

export const ALERT_SCENARIOS: readonly AlertScenario[] = [
  {
    alert: 'ApiDown',
    series: { [UP('api')]: fault(0, 1) },
    others: { ProcessDown: 1 },
    ...FAULT,
  },
  { alert: 'ProcessDown', series: { [UP('worker', 'b')]: fault(0, 1) }, ...FAULT },
  {
    alert: 'ApiErrors',
    series: {
      [requests(200, '/product-services', 'GET')]: counter([60, 100]),
      [requests(503, '/product-services', 'GET')]: counter([0, 10], [10, 30], [0, 60]),
    },
    ...FAULT,
  },
  {
    alert: 'ClientsRateLimited',
    series: {
      [requests(200, '/product-services', 'GET')]: counter([60, 100]),
      rate_limited_requests_total: counter([0, 10], [20, 30], [0, 60]),
    },
    ...FAULT,
  },
  {
    alert: 'OrdersRefused',
    series: {
      orders_accepted_total: counter([60, 100]),
      'orders_refused_total{reason="in_flight"}': counter([0, 10], [20, 30], [0, 60]),
    },
    ...FAULT,
  },
  {
    alert: 'EventLoopBlocked',
    series: { 'nodejs_eventloop_delay_p99_seconds{component="api",instance="a"}': fault(0.4, 0.012) },
    ...FAULT,
  },
  { alert: 'PasswordHashQueueLong', series: { 'password_hash_queue{instance="a"}': fault(30) }, ...FAULT },
  {
    alert: 'MongoDBUnreachable',
    series: {
      'mongodb_up{component="api",instance="a"}': fault(0, 1),
      'mongodb_up{component="worker",instance="b"}': fault(1, 1),
      'mongodb_up{component="worker",instance="c"}': fault(0, 1),
    },
    count: 2,
    ...FAULT,
  },
  {
    alert: 'MongoDBPoolExhausted',
    series: { 'mongodb_pool_connections{component="api",instance="a",state="pending"}': fault(3) },
    ...FAULT,
  },
  { alert: 'DiskNearlyFull', series: { mongodb_filesystem_used_ratio: fault(0.9, 0.5) }, ...FAULT },
  { alert: 'TemporalUnreachable', series: { 'temporal_up{component="api"}': fault(0, 1) }, ...FAULT },
  {
    alert: 'NoWorkerPolls',
    series: {
      [backlog('orders')]: gauge([0, 10], [60, 30], [0, 60]),
      [backlog('events')]: fault(0),
      [pollers('orders')]: fault(0, 5),
      [pollers('events')]: fault(5, 5),
    },
    ...FAULT,
  },
  {
    alert: 'NoWorkerPolls',
    series: { [UP('worker')]: gauge([1, 10], [0, 30], [1, 60]) },
    others: { ProcessDown: 1 },
    ...FAULT,
  },
  { alert: 'VersionWithoutWorkers', series: { temporal_workflows_without_workers: fault(12) }, ...FAULT },
  // Without any worker, it is no matter of versions.
  {
    alert: 'NoWorkerPolls',
    series: {
      [UP('worker')]: gauge([1, 10], [0, 30], [1, 60]),
      temporal_workflows_without_workers: fault(12),
    },
    others: { ProcessDown: 1 },
    ...FAULT,
  },
  {
    alert: 'TooFewWorkers',
    series: { [backlog('orders')]: fault(40), [pollers('orders')]: fault(5, 5) },
    ...FAULT,
  },
  {
    alert: 'TooFewWorkers',
    series: {
      'temporal_worker_task_slots_available{task_queue="orders",worker_type="ActivityWorker"}': fault(0, 9),
      'temporal_worker_task_slots_used{task_queue="orders",worker_type="ActivityWorker"}': fault(9, 0),
      // A worker that runs none of a kind has no slots for it.
      'temporal_worker_task_slots_available{task_queue="orders",worker_type="NexusWorker"}': fault(0),
      'temporal_worker_task_slots_used{task_queue="orders",worker_type="NexusWorker"}': fault(0),
    },
    ...FAULT,
  },
  {
    alert: 'WorkflowTaskFailing',
    series: {
      'temporal_workflow_task_execution_failed{workflow_type="orderWorkflow",failure_reason="NonDeterminismError"}':
        counter([0, 10], [3, 1], [0, 4], [1, 1], [0, 9], [1, 1], [0, 74]),
    },
    fires: 30,
    clears: 65,
  },
  {
    alert: 'PaymentsQueueThrottled',
    series: { [backlog('payments')]: fault(20), [pollers('payments')]: fault(5, 5) },
    ...FAULT,
  },
  {
    alert: 'PaymentsQueueThrottled',
    series: {
      'temporal_activity_schedule_to_start_latency_bucket{task_queue="payments",le="10"}': counter([10, 100]),
      'temporal_activity_schedule_to_start_latency_bucket{task_queue="payments",le="50"}': counter(
        [10, 10],
        [20, 30],
        [10, 60],
      ),
      'temporal_activity_schedule_to_start_latency_bucket{task_queue="payments",le="+Inf"}': counter(
        [10, 10],
        [20, 30],
        [10, 60],
      ),
    },
    ...FAULT,
  },
  {
    alert: 'PaymentOutage',
    series: {
      'payment_calls_total{operation="authorize",outcome="ok"}': counter([10, 10], [1, 30], [10, 60]),
      'payment_calls_total{operation="authorize",outcome="failed"}': counter([0, 10], [9, 30], [0, 60]),
      'payment_calls_total{operation="authorize",outcome="declined"}': counter([1, 100]),
    },
    ...FAULT,
  },
  {
    alert: 'PaymentProviderSlow',
    series: {
      'payment_call_duration_seconds_bucket{operation="authorize",le="1"}': counter(
        [10, 10],
        [0, 30],
        [10, 60],
      ),
      'payment_call_duration_seconds_bucket{operation="authorize",le="5"}': counter([10, 100]),
      'payment_call_duration_seconds_bucket{operation="authorize",le="+Inf"}': counter([10, 100]),
    },
    ...FAULT,
  },
  {
    alert: 'CompensationPendingTooLong',
    series: { order_compensation_oldest_age_seconds: fault(900, 30) },
    ...FAULT,
  },
  {
    alert: 'ReconciliationFindings',
    series: { 'reconciliation_findings_open{kind="charge_unknown"}': fault(2) },
    ...FAULT,
  },
  {
    alert: 'OrdersAuditFindings',
    series: { 'orders_audit_findings_open{kind="stock_reserved_differs"}': fault(1) },
    ...FAULT,
  },
  {
    alert: 'UpkeepMissed',
    series: {
      'upkeep_last_end_age_seconds{work="audit",instance="a"}': fault(100_000, 80_000),
      'upkeep_last_end_age_seconds{work="audit",instance="b"}': fault(100_001, 80_001),
      'upkeep_last_end_age_seconds{work="carts",instance="a"}': fault(9_000, 900),
      'upkeep_last_end_age_seconds{work="janitor",instance="a"}': gauge([3_600, 100]),
      'upkeep_last_end_age_seconds{work="retention",instance="a"}': gauge([86_400, 100]),
    },
    count: 2,
    ...FAULT,
  },
  {
    alert: 'OrderPendingTooLong',
    series: {
      'orders_oldest_age_seconds{status="pending"}': fault(4_000, 2),
      'orders_oldest_age_seconds{status="confirmed"}': gauge([400_000, 100]),
    },
    ...FAULT,
  },
  { alert: 'OrdersOverdue', series: { orders_overdue: fault(3) }, ...FAULT },
  {
    alert: 'StockConflicts',
    series: { stock_conflicts_total: counter([6, 10], [600, 30], [6, 60]) },
    ...FAULT,
  },
  { alert: 'EventsRelayLost', series: { events_lag_seconds: fault(100, 0.2) }, ...FAULT },
  // No worker that could tell; while MongoDB is away, nobody can.
  { alert: 'EventsRelayLost', series: { events_lag_seconds: absent() }, ...FAULT },
  {
    alert: 'MongoDBUnreachable',
    series: { 'mongodb_up{component="other"}': fault(0, 1), events_lag_seconds: absent() },
    ...FAULT,
  },
  {
    alert: 'WebhookReceiverDead',
    series: { webhook_endpoint_oldest_failing_seconds: fault(1_000, 0) },
    ...FAULT,
  },
  {
    alert: 'WebhookEndpointDisabled',
    series: { 'webhook_endpoints_disabled{reason="failing"}': fault(1) },
    ...FAULT,
  },
  { alert: 'AuditLogNotSealed', series: { audit_unsealed_oldest_age_seconds: fault(4_000) }, ...FAULT },
  {
    alert: 'RefreshTokenReused',
    series: {
      'security_events_total{event="refresh_reused",instance="a"}': gauge([0, 10], [1, 90]),
      'security_events_total{event="refresh_reused",instance="b"}': gauge([3, 100]),
    },
    fires: 20,
    clears: 30,
  },
  {
    alert: 'SignInAttack',
    series: {
      'security_events_total{event="login_failed",instance="a"}': counter([2, 10], [50, 30], [2, 60]),
    },
    ...FAULT,
  },
  // What is late or fails for half an hour is in one of the windows for six hours.
  {
    alert: 'PlacingNotAnswered',
    series: {
      [requests(201)]: GOOD,
      [requests(503)]: BAD,
      [requests(200, '/events', 'GET')]: counter([6_000, 500]),
      ...late('orders_placing_duration_seconds', '0.5'),
      ...late('orders_settling_duration_seconds', '60.0'), // as Prometheus 3 has it
      ...late('webhook_first_attempt_delay_seconds', '30'),
    },
    count: 2,
    others: { PlacingSlow: 2, SettlingLate: 2, WebhooksLate: 2 },
    fires: 85,
    clears: 480,
  },
];

/** Returns a series as it is scraped from us: alerts heed no other job. */
const ofOurs = (series: string): string => {
  const [, name, labels] = /^(\w+)(?:\{(.*)\})?$/.exec(series)!;
  return `${name}{${['job="orders-management-system"', ...(labels ? [labels] : [])].join(',')}}`;
};

/** Returns a file of `promtool test rules` for the scenarios. */
export function promtoolTests(ruleFiles: string[]): string {
  return stringify({
    rule_files: ruleFiles,
    evaluation_interval: '1m',
    tests: ALERT_SCENARIOS.map(({ alert, series, fires, count = 1, others = {}, clears }) => ({
      name: alert,
      interval: '1m',
      input_series: Object.entries({ ...HEALTHY, ...series }).map(([name, samples]) => ({
        series: ofOurs(name),
        values: samples.join(' '),
      })),
      promql_expr_test: [
        { expr: FIRING, eval_time: `${fires}m`, exp_samples: samplesOf({ [alert]: count, ...others }) },
        { expr: FIRING, eval_time: `${clears}m`, exp_samples: [] },
        // What fires a second time has another time since which it does.
        { expr: `changes(ALERTS_FOR_STATE[${clears}m]) > 0`, eval_time: `${clears}m`, exp_samples: [] },
      ],
    })),
  });
}

const samplesOf = (counts: Record<string, number>): { labels: string; value: number }[] =>
  Object.entries(counts).map(([alert, value]) => ({ labels: `{alertname="${alert}"}`, value }));
