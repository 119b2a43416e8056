import timers from 'node:timers/promises';
import type { TemporalClient } from '../../src/temporal/client';
import { whileServerLives } from '../../src/temporal/liveness';

/** How long the code has paused, in milliseconds. The pauses of these tests are over at once. */
let paused: number;
beforeEach(() => {
  paused = 0;
  jest.spyOn(timers, 'setTimeout').mockImplementation(async (ms, value) => {
    paused += ms!;
    return value!;
  });
  jest.spyOn(Date, 'now').mockReturnValue(0);
});
afterEach(() => jest.restoreAllMocks());

/** A client whose server has responded to no call lately, and notes for how long it waits for a sign of life. */
function silentServer(getSystemInfo: () => Promise<unknown>) {
  const limits: number[] = [];
  const client = {
    workflowService: { getSystemInfo },
    withDeadline(deadline: number, call: () => Promise<unknown>) {
      limits.push(deadline - Date.now());
      return call();
    },
  };
  return { temporal: { client, lastAnswerAt: () => -60_000 } as unknown as TemporalClient, limits };
}

const never = new Promise<never>(() => undefined);

it('a server that gives no sign of life is noticed within three seconds, as the API promises', async () => {
  const { temporal, limits } = silentServer(() => Promise.reject(new Error('deadline exceeded')));
  await expect(whileServerLives(temporal, never)).rejects.toThrow('deadline exceeded');
  expect(limits).toHaveLength(1);
  expect(paused + limits[0]!).toBeLessThanOrEqual(3_000);
});

it('an answer may take as long as it likes while the server lives', async () => {
  const { temporal, limits } = silentServer(() => Promise.resolve({}));
  const answer = new Promise((resolve) => setImmediate(() => resolve('at last')));
  expect(await whileServerLives(temporal, answer)).toBe('at last');
  expect(limits).toHaveLength(1);
});

it('an answer that comes at once asks for no sign of life', async () => {
  const { temporal, limits } = silentServer(() => never);
  expect(await whileServerLives(temporal, Promise.resolve('at once'))).toBe('at once');
  expect(limits).toEqual([]);
});
