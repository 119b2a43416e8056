import type { Worker } from 'node:cluster';
import { connect } from 'node:net';
import pino from 'pino';
import { serveClusterMetrics } from '../../src/telemetry/cluster-metrics';
import { eventually } from '../support/eventually';
import { fakeWorker } from '../support/fake-worker';
import { parseExposition } from '../support/exposition';

const ADDRESS = { host: '127.0.0.1', port: 0 };

async function serve(processes: ReadonlyMap<number, Worker>, count: number) {
  const lines: { url?: string }[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as { url?: string }) });
  const server = await serveClusterMetrics(ADDRESS, {
    count,
    supervisor: { processes: () => processes },
    logger,
  });
  const url = lines[0]!.url!; // as the log says
  return {
    url,
    async scrape() {
      const response = await fetch(url);
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      return parseExposition(await response.text());
    },
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

const textOf = (value: number) =>
  `# HELP orders_total Orders\n# TYPE orders_total counter\norders_total ${value}\n`;

it('serves the values of each process by its number, and those of the primary', async () => {
  const processes = new Map([
    [1, fakeWorker(() => Promise.resolve(textOf(3)))],
    [2, fakeWorker(() => Promise.resolve(textOf(4)))],
  ]);
  await using cluster = await serve(processes, 2);
  const { all, value } = await cluster.scrape();
  expect(all('orders_total').map(({ labels, value: orders }) => [labels, orders])).toEqual([
    [{ process: '1' }, 3],
    [{ process: '2' }, 4],
  ]);
  expect(value('process_start_time_seconds', { process: 'primary' })).toBeGreaterThan(0);
  expect(all('api_process_up').map((one) => [one.labels.process, one.value])).toEqual([
    ['1', 1],
    ['2', 1],
  ]);
});

it('says which processes are not there or cannot be asked, and serves what the others tell', async () => {
  const processes = new Map([
    [1, fakeWorker(() => Promise.resolve(textOf(3)))],
    [3, fakeWorker(() => Promise.resolve(textOf(5)), new Error('The channel is closed.'))],
  ]);
  await using cluster = await serve(processes, 3);
  const { all } = await cluster.scrape();
  expect(all('orders_total').map(({ labels }) => labels.process)).toEqual(['1']);
  expect(all('api_process_up').map((one) => [one.labels.process, one.value])).toEqual([
    ['1', 1],
    ['2', 0],
    ['3', 0],
  ]);
});

it('asks each process once for all who ask at the same time', async () => {
  const answers: ((text: string) => void)[] = [];
  const worker = fakeWorker(() => new Promise((resolve) => void answers.push(resolve)));
  await using cluster = await serve(new Map([[1, worker]]), 1);
  // Two requests in one packet are taken at once.
  const socket = connect(Number(new URL(cluster.url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (data) => (received += String(data)));
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2));
  await eventually(async () => expect(answers).not.toEqual([]));
  answers[0]!(textOf(7));
  await eventually(async () => expect(received.match(/^orders_total\{process="1"\} 7$/gm)).toHaveLength(2));
  expect(answers).toHaveLength(1);
  socket.destroy();
  const next = cluster.scrape();
  await eventually(async () => expect(answers).toHaveLength(2));
  answers[1]!(textOf(8));
  expect((await next).value('orders_total', { process: '1' })).toBe(8);
});
