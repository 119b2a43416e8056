import { type AppError } from '../../src/errors/app-error';
import { createAdmission, type Admission, type Outcome, type Refusal } from '../../src/orders/admission';
import type { TaskQueueState } from '../../src/temporal/task-queue';

const PATIENCE_MS = 5_000;
const IDLE: TaskQueueState = { tasks: 0, ageMs: 0, pollers: 1, polledAt: 1 };

let now: number;
let queue: TaskQueueState | Error;
let paymentsQueue: TaskQueueState;
let refusals: Refusal[];
beforeEach(() => {
  [now, queue, paymentsQueue, refusals] = [0, IDLE, IDLE, []];
});

const admissionOf = (max: number, processes = 1) =>
  createAdmission({
    max,
    patienceMs: PATIENCE_MS,
    processes,
    describeQueues: [
      async () => {
        if (queue instanceof Error) throw queue;
        return queue;
      },
      async () => paymentsQueue,
    ],
    onRefused: (reason) => refusals.push(reason),
    now: () => now,
  });

function refusalOf(admission: Admission): AppError | undefined {
  try {
    admission.admit().leave();
    return undefined;
  } catch (error) {
    return error as AppError;
  }
}

/** Lets orders arrive until the state of the queue is known, of which the last two are a moment apart. */
async function arrivals(admission: Admission, state: TaskQueueState | Error): Promise<void> {
  for (let n = 0; n < 2; n++) {
    queue = state instanceof Error ? state : { ...state, polledAt: state.polledAt + n };
    now += 1_000;
    refusalOf(admission);
    await new Promise(setImmediate);
  }
  refusals = [];
}

/** Places so many orders, which end after as long as given. */
function placeAll(admission: Admission, count: number, ms: number, outcome: Outcome = 'placed'): void {
  const admitted = Array.from({ length: count }, () => admission.admit());
  now += ms;
  for (const one of admitted) one.settled(ms, outcome);
}

/** Places orders until it is known how long they take when there are few. */
function learn(admission: Admission): void {
  for (let n = 0; n < 30; n++) placeAll(admission, 2, 50);
}

it('refuses an order beyond the limit at once, and says when to come back', () => {
  const admission = admissionOf(2);
  const [one] = [admission.admit(), admission.admit()];
  const refusal = refusalOf(admission);
  expect(refusal).toMatchObject({ code: 'service_unavailable', status: 503 });
  expect(refusal!.detail).toContain('nothing was begun');
  expect(refusal!.headers['Retry-After']).toMatch(/^[1-5]$/);
  expect(refusals).toEqual(['in_flight']);
  one.leave();
  expect(refusalOf(admission)).toBeUndefined();
  expect(admission.active()).toBe(1);
});

it('lets all orders in without a limit, and does not ask about the queue', async () => {
  const admission = admissionOf(0);
  await arrivals(admission, { ...IDLE, ageMs: 3_600_000, tasks: 1_000 });
  for (let n = 0; n < 1_000; n++) admission.admit();
  expect(admission.active()).toBe(1_000);
  expect(admission.limit()).toBe(Infinity);
  expect(refusals).toEqual([]);
});

describe('the queue', () => {
  const OLD = { tasks: 100, ageMs: PATIENCE_MS + 1, pollers: 1, polledAt: 1_000 };

  it('keeps orders out while workers are working on what clients no longer wait for', async () => {
    const admission = admissionOf(100);
    await arrivals(admission, OLD);
    expect(refusalOf(admission)).toMatchObject({ code: 'service_unavailable' });
    expect(refusals).toEqual(['queue']);
    await arrivals(admission, { ...OLD, ageMs: PATIENCE_MS - 1, polledAt: 2_000 });
    expect(refusalOf(admission)).toBeUndefined();
  });

  it('keeps none out while no worker polls, whatever the clock of Temporal says: that is an outage', async () => {
    const admission = admissionOf(100);
    await arrivals(admission, OLD);
    now += PATIENCE_MS;
    for (let n = 0; n < 3; n++) {
      queue = { ...OLD, ageMs: 60_000, polledAt: OLD.polledAt + 1 };
      now += 1_000;
      refusalOf(admission);
      await new Promise(setImmediate);
    }
    expect(refusalOf(admission)).toBeUndefined();
  });

  it('keeps orders out also while those that take payments are behind, though no order is placed for that', async () => {
    const admission = admissionOf(100);
    placeAll(admission, 5, PATIENCE_MS + 1, 'unknown');
    for (let n = 1; n <= 2; n++) {
      paymentsQueue = { ...OLD, polledAt: OLD.polledAt + n };
      now += 1_000;
      refusalOf(admission);
      await new Promise(setImmediate);
    }
    refusals = [];
    expect(refusalOf(admission)).toMatchObject({ code: 'service_unavailable' });
    expect(refusals).toEqual(['queue']);
  });

  it('keeps none out while it is unknown', async () => {
    const admission = admissionOf(100);
    await arrivals(admission, OLD);
    await arrivals(admission, new Error('Temporal is away'));
    expect(refusalOf(admission)).toBeUndefined();
  });
});

describe('the limit', () => {
  it('shrinks when orders take longer because there are more of them, and grows again', () => {
    const admission = admissionOf(100);
    learn(admission);
    const before = admission.limit();
    for (let n = 0; n < 5; n++) placeAll(admission, admission.limit(), 1_000);
    const under = admission.limit();
    expect(under).toBeLessThan(before);
    now += 20_000;
    expect(refusalOf(admission)).toBeUndefined();
    expect(admission.limit()).toBeGreaterThanOrEqual(before);
  });

  it('is shared by the processes of a machine to begin with', () => {
    expect(admissionOf(100, 4).limit() * 4).toBeLessThan(admissionOf(100).limit() + 4);
  });

  it('is not what orders allow that are rejected in no time', () => {
    const admission = admissionOf(100);
    for (let n = 0; n < 100; n++) placeAll(admission, 2, 10, 'rejected');
    learn(admission);
    const before = admission.limit();
    for (let n = 0; n < 100; n++) placeAll(admission, 2, 10, 'rejected');
    placeAll(admission, 15, 60);
    expect(admission.limit()).toBeGreaterThanOrEqual(before);
  });

  it('is the most while nothing comes of any order, though none waits for a worker, and what was learnt after that', async () => {
    const admission = admissionOf(100);
    learn(admission);
    const before = admission.limit();
    expect(before).toBeLessThan(100);
    placeAll(admission, 5, PATIENCE_MS + 1, 'unknown');
    await arrivals(admission, IDLE);
    expect(admission.limit()).toBe(100);
    placeAll(admission, 1, 50);
    expect(admission.limit()).toBe(before);
  });

  it.each([
    ['some wait for a worker', { ...IDLE, tasks: 50, ageMs: PATIENCE_MS / 2 }],
    ['it is unknown whether some do', new Error('Temporal is slow')],
  ])('is what was learnt while nothing comes of any order, and %s', async (_, state) => {
    const admission = admissionOf(100);
    learn(admission);
    placeAll(admission, 5, PATIENCE_MS + 1, 'unknown');
    await arrivals(admission, state);
    expect(admission.limit()).toBeLessThan(100);
  });

  it('is what was learnt while clients wait for less than it takes', async () => {
    const admission = admissionOf(100);
    learn(admission);
    const before = admission.limit();
    for (let n = 0; n < 2 * PATIENCE_MS; n += 1_000) placeAll(admission, 2, 1_000, 'unknown');
    await arrivals(admission, IDLE);
    expect(admission.limit()).toBe(before);
  });
});
