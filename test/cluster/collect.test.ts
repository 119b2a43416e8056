import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { answerCollector, collectFrom } from '../../src/cluster/collect';
import { fakeWorker } from '../support/fake-worker';
import { HANG_MS } from '../support/eventually';

const waiting = (worker: Worker) => worker.listenerCount('message') + worker.listenerCount('exit');

it('is told the metrics of a process, also if several ask at once, and listens no longer', async () => {
  let asked = 0;
  const worker = fakeWorker(() => Promise.resolve(`orders_total ${++asked}\n`));
  expect(await Promise.all([collectFrom(worker, HANG_MS), collectFrom(worker, HANG_MS)])).toEqual([
    'orders_total 1\n',
    'orders_total 2\n',
  ]);
  expect(waiting(worker)).toBe(0);
});

it('takes neither other messages of the process for it, nor the answer to an earlier question', async () => {
  let answer!: (text: string) => void;
  const worker = fakeWorker(() => new Promise((resolve) => (answer = resolve)));
  expect(await collectFrom(worker, 1)).toBeUndefined(); // too late
  const late = answer;
  const collected = collectFrom(worker, HANG_MS);
  late('old');
  worker.emit('message', { type: 'count', id: 1, requests: [] });
  worker.emit('message', 'collected');
  await new Promise(setImmediate);
  answer('new');
  expect(await collected).toBe('new');
});

it.each<[string, (worker: Worker) => void]>([
  ['exits before it has answered', (worker) => worker.emit('exit', null, 'SIGKILL')],
  [
    'answers only messages that are no questions',
    (worker) => worker.emit('message', { type: 'collect', id: 0 }),
  ],
])('knows nothing of a process that %s', async (_, happen) => {
  const worker = fakeWorker(() => new Promise(() => undefined));
  const collected = collectFrom(worker, 20);
  happen(worker);
  expect(await collected).toBeUndefined();
  expect(waiting(worker)).toBe(0);
});

it('knows at once that a process cannot be asked', async () => {
  const worker = fakeWorker(() => Promise.resolve(''), new Error('The channel is closed.'));
  expect(await collectFrom(worker, HANG_MS)).toBeUndefined();
  expect(waiting(worker)).toBe(0);
});

it('a process that cannot tell its metrics, or has lost its primary, survives that', async () => {
  const worker = fakeWorker(() => Promise.reject(new Error('The meter is broken.')));
  expect(await collectFrom(worker, 20)).toBeUndefined();
  const orphan = new EventEmitter();
  answerCollector(orphan as NodeJS.Process, () => Promise.resolve('orders_total 1\n'));
  for (const type of ['stop', 'collect']) orphan.emit('message', { type, id: 1 });
  await new Promise(setImmediate);
});
