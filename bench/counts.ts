/**
 * The cost of an order of one line, counted and not timed: `test/orders/cost.test.ts` asserts each figure
 * against real servers, and docs/capacity.md is computed from them. A change that costs more fails there.
 */
export interface StageCounts {
  /** Events in the workflow's history. */
  events: number;
  /** Size of the history in Temporal in bytes, rounded up. */
  historyBytes: number;
  /** Writes of the workflow's state in Temporal (`stateTransitionCount`). */
  stateTransitions: number;
  /** Calls of the API to Temporal, by method of its WorkflowService. */
  apiCalls: readonly string[];
  workflowStarts: number;
  updates: number;
  workflowTasks: number;
  localActivities: number;
  /** Workflow tasks that recorded at least one marker, which each local activity leaves. */
  workflowTasksWithMarkers: number;
  activities: number;
  timers: number;
  searchAttributeUpserts: number;
  /**
   * Commands to MongoDB in their order, as `command collection`. Those of the sandbox stand for a payment
   * service.
   */
  mongoDbCommands: readonly string[];
}

/** POST /orders until the order is confirmed. */
export const PLACING: StageCounts = {
  events: 9,
  historyBytes: 3_340,
  stateTransitions: 3,
  apiCalls: ['executeMultiOperation'],
  workflowStarts: 1,
  updates: 1,
  workflowTasks: 1,
  localActivities: 1,
  workflowTasksWithMarkers: 1,
  activities: 0,
  timers: 1,
  searchAttributeUpserts: 1,
  mongoDbCommands: [
    'find product_services',
    'update product_services',
    'insert orders',
    'commitTransaction 1',
    'findAndModify sandbox_payments',
    'update orders',
    'find orders',
  ],
};

/** One shipment of the whole order and its delivery, on top of placing it. The workflow has ended then. */
export const FULFILLING: StageCounts = {
  events: 20,
  historyBytes: 4_600,
  stateTransitions: 5,
  apiCalls: ['updateWorkflowExecution', 'updateWorkflowExecution'],
  workflowStarts: 0,
  updates: 2,
  workflowTasks: 3,
  localActivities: 1,
  workflowTasksWithMarkers: 1,
  activities: 1,
  timers: 0,
  searchAttributeUpserts: 2,
  mongoDbCommands: [
    'find orders',
    'find orders',
    'update orders',
    'find sandbox_payments',
    'findAndModify sandbox_payments',
    'update orders',
    'update product_services',
    'insert audit',
    'commitTransaction 1',
    'find orders',
    'find orders',
    'find orders',
    'update orders',
    'insert audit',
    'commitTransaction 1',
    'find orders',
  ],
};

/** What it costs on top to move an open order to another version of the workflow code, in both of its runs. */
export const MOVING: StageCounts = {
  events: 11,
  historyBytes: 4_900,
  stateTransitions: 6,
  apiCalls: [],
  workflowStarts: 1,
  updates: 0,
  workflowTasks: 2,
  localActivities: 1,
  workflowTasksWithMarkers: 1,
  activities: 0,
  timers: 1,
  searchAttributeUpserts: 0,
  mongoDbCommands: ['find orders'],
};

/** The four events of such an order in MongoDB, which the relay writes afterwards and MongoDB removes after `EVENT_RETENTION`. */
export const EVENT_BYTES = 8_300;

/** Size of the documents of a delivered order in MongoDB, with its entries of the audit log: BSON bytes without indexes, rounded up. */
export const DOCUMENT_BYTES = { order: 2_780, payment: 600, audit: 1_900 };
