import type { BriefEvent } from '../../src/events/events.repository';
import { MAX_ENDPOINTS } from '../../src/domain/webhook';
import type { Delivery } from '../../src/webhooks/deliveries.repository';
import { newDelivery } from '../../src/webhooks/delivery';
import { createDispatch, type DispatchDeps } from '../../src/webhooks/dispatch';
import type { Endpoint } from '../../src/webhooks/endpoints.repository';

const NOW = new Date();
const endpointOf = (id: string, more: Partial<Endpoint> = {}) =>
  ({ id, types: ['*'], after: 0, disabledReason: null, replay: null, ...more }) as Endpoint;
const eventOf = (position: number): BriefEvent => {
  return { _id: `evt_ord_${position}_1`, position, types: ['order.placed'], recordedAt: NOW };
};
const endpoints = Array.from({ length: MAX_ENDPOINTS }, (_, n) => endpointOf(`whe_${n}`));

/** Runs it on a feed until it has nothing to do, and returns what it has done. */
async function dispatched({
  events = [] as BriefEvent[],
  overdue = [] as Delivery[],
  receivers = endpoints,
  deliver = (_delivery: Delivery, _isAgain?: boolean) => Promise.resolve(),
}) {
  const stopping = new AbortController();
  const started: [id: string, isAgain: boolean][] = [];
  const replayed: unknown[] = [];
  const beats: number[] = [];
  let saved = 0;
  const late = [...overdue];
  const deps: DispatchDeps = {
    feed: {
      brief: async (after, limit) => events.filter(({ position }) => position > after).slice(0, limit),
      watch: () =>
        ({
          tryNext: async () => {
            if (saved === events.length && late.length === 0) stopping.abort();
            return null;
          },
          close: async () => undefined,
        }) as never,
      positionBefore: async () => 0,
    },
    endpoints: {
      enabled: async () => receivers,
      find: async () => null,
      completeReplay: async () => undefined,
    },
    deliveries: {
      insert: async () => undefined,
      begin: async () => undefined,
      dispatched: async () => 0,
      saveDispatched: async (position) => void (saved = position),
      overdue: async (_before, limit) => late.slice(0, limit),
      postpone: async (postponed) => void late.splice(0, postponed.length),
    },
    starts: {
      deliver: async (delivery, isAgain = false) => {
        await deliver(delivery, isAgain);
        started.push([delivery.id, isAgain]);
      },
      replay: async (replay) => void replayed.push(replay),
    },
  };
  const onProgress = () => void beats.push(started.length);
  const ended = createDispatch(deps).follow({ signal: stopping.signal, onProgress });
  const failure = await ended.catch((error: Error) => error);
  return { started, replayed, beats, saved, failure };
}

it('heartbeats while it starts thousands of deliveries, so that it is not taken for dead', async () => {
  const events = Array.from({ length: 150 }, (_, n) => eventOf(n + 1));
  const { started, beats, saved } = await dispatched({ events });
  expect(new Set(started.map(([id]) => id)).size).toBe(150 * MAX_ENDPOINTS);
  expect(saved).toBe(150);
  const pauses = beats.map((count, n) => count - (beats[n - 1] ?? 0));
  expect(Math.max(...pauses)).toBeLessThanOrEqual(10);
});

it('starts alone again what could not be started, and comes further meanwhile', async () => {
  const failures = new Map<string, number>();
  const deliver = async ({ id, eventId }: Delivery) => {
    const count = failures.get(id) ?? 0;
    if (eventId !== eventOf(7)._id || count === 2) return;
    failures.set(id, count + 1);
    throw new Error('Busy.');
  };
  const events = Array.from({ length: 60 }, (_, n) => eventOf(n + 1));
  const receivers = [endpointOf('whe_1'), endpointOf('whe_2')];
  const { started, saved, failure } = await dispatched({ events, receivers, deliver });
  expect(failure).toBeUndefined();
  expect(saved).toBe(60);
  expect(failures.size).toBe(2);
  expect(started).toHaveLength(120);
  expect(new Set(started.map(([id]) => id)).size).toBe(120);
});

it('stops at once when Temporal does not answer, and has not come further then', async () => {
  let asked = 0;
  const deliver = () => Promise.reject(new Error(`Down, asked ${++asked} times.`));
  const { failure, saved } = await dispatched({ events: [eventOf(1)], deliver });
  expect(failure).toMatchObject({ message: expect.stringContaining('Down') as string });
  expect(saved).toBe(0);
  expect(asked).toBeLessThan(MAX_ENDPOINTS);
});

it('starts all again that is overdue, and replays that have not ended', async () => {
  const overdue = Array.from({ length: 250 }, (_, n) => newDelivery('whe_1', eventOf(n + 1), 'first'));
  const replay = { round: 'one', from: NOW, to: NOW, startedAt: NOW, completedAt: null };
  const receivers = [
    endpointOf('whe_1', { replay }),
    endpointOf('whe_2', { replay: { ...replay, completedAt: NOW } }),
    endpointOf('whe_3'),
  ];
  const { started, replayed } = await dispatched({ overdue, receivers });
  expect(started).toEqual(overdue.map(({ id }) => [id, true]));
  const period = { from: NOW.toISOString(), to: NOW.toISOString() };
  expect(replayed).toEqual([{ endpointId: 'whe_1', round: 'one', ...period }]);
});

it('ends a replay of which a delivery could not be started, which is left to the sweep', async () => {
  const events = [1, 2, 3].map(eventOf);
  const replay = {
    round: 'one',
    from: NOW,
    to: new Date(NOW.getTime() + 1),
    startedAt: NOW,
    completedAt: null,
  };
  const started: string[] = [];
  const completed: string[] = [];
  const dispatch = createDispatch({
    feed: {
      brief: async (after: number) => events.filter(({ position }) => position > after),
      positionBefore: async () => 0,
    },
    endpoints: {
      find: async (id: string) => endpointOf(id, { replay }),
      completeReplay: async (id: string) => void completed.push(id),
    },
    deliveries: { begin: async () => undefined },
    starts: {
      deliver: async ({ eventId }: Delivery) => {
        if (eventId === eventOf(2)._id) throw new Error('Refused.');
        started.push(eventId);
      },
    },
  } as unknown as DispatchDeps);
  const run = { signal: new AbortController().signal, onProgress: () => undefined };
  await dispatch.replay({ endpointId: 'whe_1', ...replay }, run);
  expect(started).toEqual([eventOf(1)._id, eventOf(3)._id]);
  expect(completed).toEqual(['whe_1']);
});
