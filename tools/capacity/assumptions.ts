/**
 * What the plan takes for granted, each figure with its unit and where it comes from. None of them is counted by a
 * test: replace them by what is measured on the machines that will be used.
 */

/** CPU and concurrency of one process. What is measured was on two cores that all processes shared (bench/results). */
export const PROCESSES = {
  /** CPU of the API for one request, seconds. Measured: 0.0046 for a POST of an order, 0.0008 for a GET of one. */
  apiRequestCpuSeconds: 0.003,
  /** CPU of an order worker to place an order, seconds. Measured, with the payment: 0.028. */
  placingCpuSeconds: 0.03,
  /** The same for one shipment and its delivery: as many activations of the workflow as placing it. Assumed. */
  fulfillingCpuSeconds: 0.03,
  /** How long a call to the payment service takes, seconds; it waits, and hardly computes. Assumed. */
  paymentSeconds: 0.3,
  /** Slots of a payment worker: the default of WORKER_MAX_CONCURRENT_PAYMENTS. */
  paymentSlots: 20,
  /** Slots of an order worker: the default of WORKER_MAX_CONCURRENT_WORKFLOW_TASKS. */
  workflowTaskSlots: 40,
  /** How busy a process is planned to be; above, waits grow out of proportion (Erlang C). Assumed. */
  utilisation: 0.6,
  /** Of each kind, so that one may die. */
  atLeast: 2,
} as const;

/** What customers do besides. */
export const TRAFFIC = {
  /** GETs of an order over its life, each one request and one `find orders`. Assumed. */
  readsPerOrder: 5,
  /** Days from placing an order to its delivery: so long its workflow is open. Assumed. */
  openDays: 5,
  /** A sale, as a multiple of the usual rate; orders are placed then, and fulfilled later. Assumed. */
  saleFactor: 10,
} as const;

/** Temporal Cloud, as documented (docs/capacity.md says where); to be verified before anything is bought. */
export const TEMPORAL_CLOUD = {
  /** Actions per second that every namespace may do on demand. */
  defaultActionsPerSecond: 500,
  /** What one Temporal Resource Unit (TRU) of provisioned capacity allows. */
  truActionsPerSecond: 500,
  truRequestsPerSecond: 1_500,
  /** TRUs that a namespace may be set to without asking. */
  trusPerNamespace: 12,
} as const;

/** Temporal of one's own. */
export const TEMPORAL_SERVER = {
  /**
   * State transitions per second and history shard. A shard writes one thing at a time: at 10 ms for each and busy for a
   * third of the time. Assumed.
   */
  transitionsPerShardSecond: 30,
  /** What production set-ups begin with; it cannot be changed later. */
  leastShards: 512,
  /** Mutable state of an open workflow and its record for lists, bytes. Assumed. */
  stateBytes: 2_000,
  /** How long closed workflows are kept, days. */
  retentionDays: [1, 7, 30],
} as const;

export const MONGODB = {
  /** Commands per second that one primary answers, of the mix of an order. Assumed: 16 cores, NVMe. */
  commandsPerPrimarySecond: 10_000,
  /** Of all indexes of an order and its payment, bytes. Assumed. */
  indexBytesPerOrder: 700,
  /**
   * Transactions per second on one product, when several processes have them: prototypes did 74 to 109. One process, which
   * lets them through one after the other, did 340 to 380.
   */
  transactionsPerProductSecond: 90,
} as const;

/** What Stripe is asked for. */
export const PAYMENT_SERVICE = {
  /** Read from the code (`stripe.authorization.ts`), not counted: create and confirm. */
  requestsToAuthorise: 2,
  /** The same: capture. */
  requestsToCapture: 1,
  /** On our own MongoDB: what is known of the key, and whose it is now. Read from the code, not counted. */
  mongoDbCommandsToAuthorise: 2,
} as const;
