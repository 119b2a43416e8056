import { createFairShare } from '../../src/webhooks/fair-share';
import { MAX_ENDPOINTS } from '../../src/domain/webhook';

/** Work that lasts until the test ends it. */
function endless() {
  let finish!: () => void;
  const work = new Promise<void>((resolve) => (finish = resolve));
  return { work: () => work, finish };
}

it('lets this many at a time work for a key, and tells the others when to come again, later and later', async () => {
  const share = createFairShare({ atATime: 2, own: 1, shared: 10 });
  const { work, finish } = endless();
  const running = [share.run('slow', work), share.run('slow', work)];
  const waits = [];
  for (let n = 0; n < 5; n++) waits.push(await share.run('slow', work));
  const times = waits.map((wait) => ('waitMs' in wait ? wait.waitMs : 0));
  expect(times.every((ms) => ms > 0)).toBe(true);
  expect([...times].sort((one, other) => one - other)).toEqual(times);
  expect(await share.run('other', () => Promise.resolve('done'))).toEqual({ result: 'done' });
  finish();
  await Promise.all(running);
  expect(await share.run('slow', () => Promise.resolve('done'))).toEqual({ result: 'done' });
});

it('has places left for each key, however many others are slow at once', async () => {
  const share = createFairShare();
  const { work, finish } = endless();
  let begun = 0;
  const slow = Array.from({ length: MAX_ENDPOINTS - 1 }, (_, n) =>
    Array.from({ length: 30 }, () => share.run(`slow-${n}`, () => (begun++, work()))),
  ).flat();
  for (let n = 0; n < 300; n++)
    expect(await share.run('good', () => Promise.resolve('done'))).toEqual({ result: 'done' });
  expect(begun).toBe(100 + 2 * (MAX_ENDPOINTS - 1));
  finish();
  await Promise.all(slow);
  // All places are free again.
  const again = endless();
  const running = Array.from({ length: 20 }, () => share.run('good', again.work));
  expect(await share.run('good', again.work)).toHaveProperty('waitMs');
  again.finish();
  expect(await Promise.all(running)).toEqual(running.map(() => ({ result: undefined })));
});

it('has none wait for longer than half an hour, so that a receiver that is well again gets the rest soon', async () => {
  const share = createFairShare({ atATime: 1, own: 1, shared: 0 });
  const { work, finish } = endless();
  const running = share.run('slow', work);
  const waits = [];
  for (let n = 0; n < 20_000; n++) waits.push(await share.run('slow', work));
  const times = waits.map((wait) => ('waitMs' in wait ? wait.waitMs : NaN));
  expect(Math.max(...times)).toBeLessThanOrEqual(30 * 60_000);
  expect(new Set(times.slice(-1_000)).size).toBeGreaterThan(900);
  finish();
  await running;
});

it('gives the place back when the work fails', async () => {
  const share = createFairShare({ atATime: 1, own: 1, shared: 0 });
  await expect(share.run('one', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await share.run('one', () => Promise.resolve('done'))).toEqual({ result: 'done' });
});
