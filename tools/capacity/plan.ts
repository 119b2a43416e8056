import { type StageCounts, DOCUMENT_BYTES, FULFILLING, PLACING } from '../../bench/counts';
import { MONGODB, PAYMENT_SERVICE, PROCESSES, TEMPORAL_CLOUD, TEMPORAL_SERVER, TRAFFIC } from './assumptions';

/** The cost of one order in one stage of its life. */
export interface StageCost {
  /** As Temporal Cloud bills and limits them. */
  actions: number;
  /** gRPC requests to Temporal: those of the API, and a poll and a completion per task of a worker. */
  temporalRequests: number;
  stateTransitions: number;
  historyEvents: number;
  historyBytes: number;
  /** Without those of the sandbox, which stands for the payment service. */
  mongoDbCommands: number;
  /** Calls to the payment service. The plan has payment workers for all of them. */
  paymentCalls: number;
}

/**
 * Counts one Action for a start, an accepted update, a scheduled activity, a started timer, an upsert of
 * search attributes, and for all markers of one workflow task together, which its local activities leave.
 */
export function actionsOf(counts: StageCounts): number {
  const { workflowStarts, updates, activities, timers, searchAttributeUpserts, workflowTasksWithMarkers } =
    counts;
  return workflowStarts + updates + activities + timers + searchAttributeUpserts + workflowTasksWithMarkers;
}

function costOf(counts: StageCounts): StageCost {
  const { apiCalls, workflowTasks, activities, mongoDbCommands } = counts;
  return {
    actions: actionsOf(counts),
    temporalRequests: apiCalls.length + 2 * (workflowTasks + activities),
    stateTransitions: counts.stateTransitions,
    historyEvents: counts.events,
    historyBytes: counts.historyBytes,
    mongoDbCommands: mongoDbCommands.filter((command) => !isOfSandbox(command)).length,
    paymentCalls: 1, // authorised when it is placed, captured with the first shipment
  };
}

function both(one: StageCost, other: StageCost): StageCost {
  const keys = Object.keys(one) as (keyof StageCost)[];
  return Object.fromEntries(keys.map((key) => [key, one[key] + other[key]])) as unknown as StageCost;
}

function isOfSandbox(command: string): boolean {
  return command.endsWith(' sandbox_payments');
}

export const PLACING_COST = costOf(PLACING);
export const FULFILLING_COST = costOf(FULFILLING);
export const LIFE_COST = both(PLACING_COST, FULFILLING_COST);

/** What N orders placed per second need, with as many fulfilled and delivered. */
export interface Plan {
  ordersPerSecond: number;
  actionsPerSecond: number;
  /** In a sale, when orders are placed and not yet fulfilled. */
  saleActionsPerSecond: number;
  temporalRequestsPerSecond: number;
  /** Temporal Resource Units; zero where the default of a namespace is enough. */
  trus: number;
  saleTrus: number;
  namespaces: number;
  saleNamespaces: number;
  stateTransitionsPerSecond: number;
  saleStateTransitionsPerSecond: number;
  historyShards: number;
  /** Of a Temporal of one's own, on PostgreSQL. */
  temporalCores: number;
  saleTemporalCores: number;
  temporalDatabaseCores: number;
  saleTemporalDatabaseCores: number;
  openWorkflows: number;
  mongoDbCommandsPerSecond: number;
  saleMongoDbCommandsPerSecond: number;
  mongoDbShards: number;
  paymentRequestsPerSecond: number;
  salePaymentRequestsPerSecond: number;
  apiProcesses: number;
  saleApiProcesses: number;
  orderWorkers: number;
  saleOrderWorkers: number;
  paymentWorkers: number;
  salePaymentWorkers: number;
}

export function planFor(ordersPerSecond: number): Plan {
  const per = (count: number) => count * ordersPerSecond;
  const inSale = (placing: number, fulfilling: number) => per(placing * TRAFFIC.saleFactor + fulfilling);
  const { requestsToAuthorise, requestsToCapture } = PAYMENT_SERVICE;
  const actionsPerSecond = per(LIFE_COST.actions);
  const saleActionsPerSecond = inSale(PLACING_COST.actions, FULFILLING_COST.actions);
  const temporalRequestsPerSecond = per(LIFE_COST.temporalRequests);
  const saleTemporalRequests = inSale(PLACING_COST.temporalRequests, FULFILLING_COST.temporalRequests);
  const trus = trusFor(actionsPerSecond, temporalRequestsPerSecond);
  const saleTransitions = inSale(PLACING_COST.stateTransitions, FULFILLING_COST.stateTransitions);
  const saleTrus = trusFor(saleActionsPerSecond, saleTemporalRequests);
  const commandsToPlace = PLACING_COST.mongoDbCommands + PAYMENT_SERVICE.mongoDbCommandsToAuthorise;
  const commandsAfter = FULFILLING_COST.mongoDbCommands + TRAFFIC.readsPerOrder;
  const saleMongoDbCommandsPerSecond = inSale(commandsToPlace, commandsAfter);
  const requestsAfter = FULFILLING.apiCalls.length + TRAFFIC.readsPerOrder;
  const { apiRequestCpuSeconds, placingCpuSeconds, fulfillingCpuSeconds } = PROCESSES;
  const paying = PROCESSES.paymentSeconds / PROCESSES.paymentSlots;
  const { cpuSeconds: server, databaseCpuSeconds: database } = TEMPORAL_SERVER;
  return {
    ordersPerSecond,
    actionsPerSecond,
    saleActionsPerSecond,
    temporalRequestsPerSecond,
    trus,
    saleTrus,
    namespaces: namespacesFor(trus),
    saleNamespaces: namespacesFor(saleTrus),
    stateTransitionsPerSecond: per(LIFE_COST.stateTransitions),
    saleStateTransitionsPerSecond: saleTransitions,
    historyShards: historyShardsFor(saleTransitions),
    temporalCores: processes(per(server.placing + server.fulfilling)),
    saleTemporalCores: processes(inSale(server.placing, server.fulfilling)),
    temporalDatabaseCores: processes(per(database.placing + database.fulfilling)),
    saleTemporalDatabaseCores: processes(inSale(database.placing, database.fulfilling)),
    openWorkflows: per(TRAFFIC.openDays * SECONDS_PER_DAY), // Little's law
    mongoDbCommandsPerSecond: per(commandsToPlace + commandsAfter),
    saleMongoDbCommandsPerSecond,
    mongoDbShards: Math.ceil(saleMongoDbCommandsPerSecond / MONGODB.commandsPerPrimarySecond),
    paymentRequestsPerSecond: per(requestsToAuthorise + requestsToCapture),
    salePaymentRequestsPerSecond: inSale(requestsToAuthorise, requestsToCapture),
    apiProcesses: processes(per(PLACING.apiCalls.length + requestsAfter) * apiRequestCpuSeconds),
    saleApiProcesses: processes(inSale(PLACING.apiCalls.length, requestsAfter) * apiRequestCpuSeconds),
    orderWorkers: processes(per(placingCpuSeconds + fulfillingCpuSeconds)),
    saleOrderWorkers: processes(inSale(placingCpuSeconds, fulfillingCpuSeconds)),
    paymentWorkers: processes(per(LIFE_COST.paymentCalls) * paying),
    salePaymentWorkers: processes(inSale(PLACING_COST.paymentCalls, FULFILLING_COST.paymentCalls) * paying),
  };
}

function namespacesFor(trus: number): number {
  return Math.max(1, Math.ceil(trus / TEMPORAL_CLOUD.trusPerNamespace));
}

const SECONDS_PER_DAY = 86_400;

/** @param busy processes that would be busy all the time */
function processes(busy: number): number {
  return Math.max(PROCESSES.atLeast, Math.ceil(busy / PROCESSES.utilization));
}

function trusFor(actionsPerSecond: number, requestsPerSecond: number): number {
  if (actionsPerSecond <= TEMPORAL_CLOUD.defaultActionsPerSecond) return 0;
  const { truActionsPerSecond, truRequestsPerSecond } = TEMPORAL_CLOUD;
  return Math.ceil(
    Math.max(actionsPerSecond / truActionsPerSecond, requestsPerSecond / truRequestsPerSecond),
  );
}

/** Returns a power of two: clusters can replicate to each other if their numbers of shards are multiples. */
function historyShardsFor(transitionsPerSecond: number): number {
  const wanted = transitionsPerSecond / TEMPORAL_SERVER.transitionsPerShardSecond;
  return Math.max(TEMPORAL_SERVER.leastShards, 2 ** Math.ceil(Math.log2(wanted)));
}

/** Bytes of delivered orders, before compression and in one copy. */
export interface Storage {
  mongoDbDocuments: number;
  mongoDbIndexes: number;
  temporal: number;
}

export function storageOf(orders: number): Storage {
  return {
    mongoDbDocuments: orders * (DOCUMENT_BYTES.order + DOCUMENT_BYTES.payment + DOCUMENT_BYTES.audit),
    mongoDbIndexes: orders * (MONGODB.indexBytesPerOrder + MONGODB.auditIndexBytesPerOrder),
    temporal: orders * (LIFE_COST.historyBytes + TEMPORAL_SERVER.stateBytes),
  };
}

/** Returns the bytes in Temporal of closed orders that are kept for N days. */
export function retainedBytes(ordersPerSecond: number, days: number): number {
  return storageOf(ordersPerSecond * days * SECONDS_PER_DAY).temporal;
}

/** Returns the bytes in Temporal of open orders, which are placed and not yet delivered. */
export function openBytes({ openWorkflows }: Plan): number {
  return openWorkflows * (PLACING_COST.historyBytes + TEMPORAL_SERVER.stateBytes);
}
