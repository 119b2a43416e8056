/**
 * The assumptions of the plan, each with its unit and source. No test counts them: replace them by
 * measurements on the machines that will be used.
 */

/**
 * CPU and concurrency of one process. Measurements are of two cores that all processes shared
 * (bench/results).
 */
export const PROCESSES = {
  /**
   * CPU of the API for one request, seconds. Measured: 0.007 to 0.008 for a POST of an order, 0.001 for a
   * GET of one.
   */
  apiRequestCpuSeconds: 0.003,
  /** CPU of an order worker to place an order, seconds. Measured, with the payment: 0.018 to 0.023. */
  placingCpuSeconds: 0.025,
  /** CPU of an order worker for one shipment and its delivery, seconds. Measured, with the capture: 0.03. */
  fulfillingCpuSeconds: 0.03,
  /** Duration of a call to the payment service, seconds; it waits, and hardly computes. Assumed. */
  paymentSeconds: 0.3,
  /** Slots of a payment worker: the default of WORKER_MAX_CONCURRENT_PAYMENTS. */
  paymentSlots: 20,
  /** Slots of an order worker: the default of WORKER_MAX_CONCURRENT_WORKFLOW_TASKS. */
  workflowTaskSlots: 40,
  /** Planned utilization of a process; above it, waits grow out of proportion (Erlang C). Assumed. */
  utilization: 0.6,
  /** Processes of each kind, so that one may fail. */
  atLeast: 2,
} as const;

/** What customers do. */
export const TRAFFIC = {
  /** GETs of an order over its life, each one request and one `find orders`. Assumed. */
  readsPerOrder: 5,
  /** Days from placing an order to its delivery, while its workflow is open. Assumed. */
  openDays: 5,
  /** A sale, as a multiple of the usual rate; orders are placed then, and fulfilled later. Assumed. */
  saleFactor: 10,
} as const;

/** Temporal Cloud, as documented (see docs/capacity.md); to be verified before anything is bought. */
export const TEMPORAL_CLOUD = {
  /** Actions per second that every namespace has on demand. */
  defaultActionsPerSecond: 500,
  /** What one Temporal Resource Unit (TRU) of provisioned capacity allows. */
  truActionsPerSecond: 500,
  truRequestsPerSecond: 1_500,
  /** TRUs that a namespace gets without a request. */
  trusPerNamespace: 12,
} as const;

/** A Temporal cluster of your own. */
export const TEMPORAL_SERVER = {
  /**
   * State transitions per second and history shard. A shard writes one at a time, in 10 ms each, and is busy
   * for a third of the time. Assumed.
   */
  transitionsPerShardSecond: 30,
  /** CPU of the server for an order, seconds. Measured with PostgreSQL and four shards on one machine (bench/results). */
  cpuSeconds: { placing: 0.018, fulfilling: 0.028 },
  /** The same of PostgreSQL. */
  databaseCpuSeconds: { placing: 0.012, fulfilling: 0.015 },
  /** The usual minimum in production; it cannot be changed later. */
  leastShards: 512,
  /** Mutable state of an open workflow and its record for lists, bytes. Assumed. */
  stateBytes: 2_000,
  /** How long closed workflows are kept, days. */
  retentionDays: [1, 7, 30],
} as const;

export const MONGODB = {
  /** Commands per second of one primary, with the mix of an order. Assumed: 16 cores, NVMe. */
  commandsPerPrimarySecond: 10_000,
  /** Of all indexes of an order and its payment, bytes. Assumed: twice those of 60 000 new orders, 552. */
  indexBytesPerOrder: 1_150,
  /** Of the indexes of the audit log for the two entries of a delivered order, bytes. Assumed. */
  auditIndexBytesPerOrder: 600,
  /**
   * Transactions per second on one product with several processes: prototypes did 74 to 109. One process,
   * which runs them one after the other, did 340 to 380.
   */
  transactionsPerProductSecond: 90,
} as const;

/** Requests to Stripe. */
export const PAYMENT_SERVICE = {
  /** Read from the code (`stripe.authorization.ts`), not counted: create and confirm. */
  requestsToAuthorise: 2,
  /** Capture; read from the code too. */
  requestsToCapture: 1,
  /** Commands on our own MongoDB, to look up and to claim the key. Read from the code, not counted. */
  mongoDbCommandsToAuthorise: 2,
} as const;
