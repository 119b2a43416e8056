import { once } from 'node:events';
import { connect } from 'node:net';
import { cpuOf } from '../harness/cpu';
import { goal } from '../harness/goals';
import type { Row } from '../harness/results';
import { contendersOf, inTurns, ratio, summaryOf } from '../harness/rounds';
import type { Round } from '../harness/load';
import type { Scenario } from './scenario';

const SOCKETS = 32;
/** So many requests at once on each connection (HTTP/1.1 pipelining): the client then costs next to nothing. */
const PIPELINE = 16;

/** The same reads by one API process and by two. */
export const cores: Scenario = async (system, { rounds, seconds }) => {
  const headers = system.headers('CUSTOMER');
  const apis = {
    '1 process': await system.startApi(),
    '2 processes': await system.startApi({ WEB_CONCURRENCY: '2' }),
  };
  const contenders = contendersOf(apis, ({ url }) =>
    pipelined(`${url}/users`, headers.Authorization, seconds),
  );
  const before = await cpuOf(process.pid);
  const start = performance.now();
  const standings = await inTurns(contenders, { rounds, output: system.output });
  const share = ((await cpuOf(process.pid)) - before) / (performance.now() - start);
  const rows = [...standings].map(([name, standing]): Row => ({ name, values: summaryOf(standing) }));
  const [one, two] = [...standings.values()] as [never, never];
  return {
    scenario: 'cores',
    tables: [
      {
        title: 'Signed-in requests by API processes',
        method:
          'Requests whose access token, rate limit and path are checked, and that need no database (403, wrong role), so that the API alone ' +
          `is measured; ${SOCKETS} connections with ${PIPELINE} requests at a time, so that the client took ` +
          `${(share * 100).toFixed(0)} % of one core.`,
        rows,
        plot: { column: 'per second', unit: '/s' },
      },
    ],
    goals: [goal('API requests/s, 2 processes by 1', ratio(two, one), { atLeast: 1.7 })],
  };
};

async function pipelined(url: string, authorization: string, seconds: number): Promise<Round> {
  const start = performance.now();
  const end = start + seconds * 1_000;
  const { port, pathname } = new URL(url);
  const request = `GET ${pathname} HTTP/1.1\r\nHost: bench\r\nAuthorization: ${authorization}\r\n\r\n`.repeat(
    PIPELINE,
  );
  const latencies: number[] = [];
  const lane = async () => {
    const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1');
    while (performance.now() < end) {
      const sentAt = performance.now();
      socket.write(request);
      for (let answers = 0; answers < PIPELINE;) {
        const [text] = (await once(socket, 'data')) as [string];
        answers += text.split('HTTP/1.1 ').length - 1;
      }
      for (let n = 0; n < PIPELINE; n++) latencies.push(performance.now() - sentAt);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: SOCKETS }, lane));
  return { done: latencies.length, seconds: (performance.now() - start) / 1_000, latencies };
}
