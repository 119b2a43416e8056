import { type AppError } from '../../src/errors/app-error';
import { createAdmission, type Admission, type Refusal } from '../../src/orders/admission';
import type { TaskQueueState } from '../../src/temporal/task-queue';

const PATIENCE_MS = 5_000;
const IDLE: TaskQueueState = { tasks: 0, ageMs: 0, pollers: 1, polledAt: 1 };

let now: number;
let queue: TaskQueueState | Error;
let refusals: Refusal[];
beforeEach(() => {
  [now, queue, refusals] = [0, IDLE, []];
});

const admissionOf = (max: number) =>
  createAdmission({
    max,
    patienceMs: PATIENCE_MS,
    describeQueue: async () => {
      if (queue instanceof Error) throw queue;
      return queue;
    },
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
function placeAll(admission: Admission, count: number, ms: number, isSettled: boolean): void {
  const admitted = Array.from({ length: count }, () => admission.admit());
  now += ms;
  for (const one of admitted) one.placed(ms, isSettled);
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
    for (let n = 0; n < 30; n++) placeAll(admission, 2, 50, true);
    const before = admission.limit();
    for (let n = 0; n < 5; n++) placeAll(admission, admission.limit(), 1_000, true);
    const under = admission.limit();
    expect(under).toBeLessThan(before);
    now += 20_000;
    expect(refusalOf(admission)).toBeUndefined();
    expect(admission.limit()).toBeGreaterThanOrEqual(before);
  });

  it('is the most while nothing comes of any order, and what was learnt after that', () => {
    const admission = admissionOf(100);
    placeAll(admission, 10, 50, true);
    const before = admission.limit();
    expect(before).toBeLessThan(100);
    placeAll(admission, 5, PATIENCE_MS + 1, false);
    expect(admission.limit()).toBe(100);
    placeAll(admission, 1, 50, true);
    expect(admission.limit()).toBe(before);
  });
});
