import { createFairShare } from '../../src/webhooks/fair-share';

it('lets so many at a time work for a key, and tells the others when to come again, later and later', async () => {
  const share = createFairShare(2);
  let finish!: () => void;
  const work = new Promise<void>((resolve) => (finish = resolve));
  const running = [share.run('slow', () => work), share.run('slow', () => work)];
  const waits = [];
  for (let n = 0; n < 5; n++) waits.push(await share.run('slow', () => work));
  const times = waits.map((wait) => ('waitMs' in wait ? wait.waitMs : 0));
  expect(times.every((ms) => ms > 0)).toBe(true);
  expect([...times].sort((one, other) => one - other)).toEqual(times);
  expect(await share.run('other', () => Promise.resolve('done'))).toEqual({ result: 'done' });
  finish();
  await Promise.all(running);
  expect(await share.run('slow', () => Promise.resolve('done'))).toEqual({ result: 'done' });
});

it('gives the place back when the work fails', async () => {
  const share = createFairShare(1);
  await expect(share.run('one', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await share.run('one', () => Promise.resolve('done'))).toEqual({ result: 'done' });
});
