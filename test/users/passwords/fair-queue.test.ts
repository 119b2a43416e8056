import { createFairQueue, QueueFull, type FairQueueOptions } from '../../../src/users/passwords/fair-queue';

/** Runs one at a time, whose ends the test decides. */
function openQueue(options: Partial<FairQueueOptions> = {}) {
  const queue = createFairQueue({ atOnce: 1, maxWaitingEach: 3, maxWaiting: 5, ...options });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const add = (name: string) =>
    queue.run(name[0]!, () => {
      started.push(name);
      return new Promise<void>((end) => ends.push(end));
    });
  const finish = async () => {
    await new Promise(setImmediate);
    while (ends.length > 0) {
      ends.shift()!();
      await new Promise(setImmediate);
    }
  };
  return { add, finish, started };
}

it('lets clients take turns, however many one of them has waiting', async () => {
  const { add, finish, started } = openQueue();
  const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1'].map(add);
  await finish();
  await Promise.all(all);
  expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'a4']);
});

it('refuses what one client has too many of, and makes the longest queue give way when it is full', async () => {
  const { add, finish, started } = openQueue();
  const outcomes = ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'c1', 'd1', 'e1', 'f1', 'g1'].map((name) =>
    add(name).then(
      () => undefined,
      (error: unknown) => (error instanceof QueueFull ? name : error),
    ),
  );
  await finish();
  expect((await Promise.all(outcomes)).filter(Boolean)).toEqual(['a3', 'a4', 'a5', 'b2', 'f1', 'g1']);
  expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'd1', 'e1']);
});

it('continues after work that fails', async () => {
  const queue = createFairQueue({ atOnce: 1, maxWaitingEach: 1, maxWaiting: 1 });
  const failing = queue.run('a', () => Promise.reject(new Error('broken')));
  const next = queue.run('a', async () => 'done');
  await expect(failing).rejects.toThrow('broken');
  await expect(next).resolves.toBe('done');
});
