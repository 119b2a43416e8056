import { once } from 'node:events';
import { connect } from 'node:net';
import { cpuOf, cpuOfFamily } from '../harness/cpu';
import { goal } from '../harness/goals';
import type { Row } from '../harness/results';
import { contendersOf, inTurns, ratio, rowOf, type Standing } from '../harness/rounds';
import type { Round } from '../harness/load';
import { median } from '../harness/stats';
import type { RunningApp } from '../harness/system';
import type { Scenario } from './scenario';

const SOCKETS = 32;
/** Requests sent together on each connection (HTTP/1.1 pipelining), so that the client costs little. */
const PIPELINE = 16;
const ANSWER_MS = 10_000;
const BRACE = 0x7d; // }

/** Compares one API process with two. */
export const cores: Scenario = async (system, { rounds, seconds }) => {
  const headers = system.headers('CUSTOMER');
  const apis = {
    '1 process': await system.startApi(),
    '2 processes': await system.startApi({ WEB_CONCURRENCY: '2' }),
  };
  const used = new Map<RunningApp, Used[]>(Object.values(apis).map((api) => [api, []]));
  const contenders = contendersOf(apis, async (api) => {
    const [client, ours] = [await cpuOf(process.pid), await cpuOfFamily(api.process.pid!)];
    const round = await pipelined(`${api.url}/users`, headers.Authorization, seconds);
    used.get(api)!.push({
      client: ((await cpuOf(process.pid)) - client) / 1_000 / round.seconds,
      ours: ((await cpuOfFamily(api.process.pid!)) - ours) / 1_000 / round.seconds,
      perSecond: round.done / round.seconds,
    });
    return round;
  });
  const standings = await inTurns(contenders, { rounds, output: system.output });
  const rows = Object.entries(apis).map(([name, api]): Row => {
    const counted = used.get(api)!.slice(1); // without the warm-up
    const of = (figure: (round: Used) => number) => median(counted.map(figure));
    const { values, rates } = rowOf(standings.get(name)!);
    return {
      name,
      rates: rates!,
      values: {
        ...values,
        'cores of the API': of(({ ours }) => ours),
        'cores of the client': of(({ client }) => client),
        'per second and core': of(({ perSecond, ours }) => perSecond / ours),
      },
    };
  });
  const [one, two] = [...standings.values()] as [Standing, Standing];
  const perCore = (row: Row | undefined) => row!.values['per second and core']!;
  return {
    scenario: 'cores',
    tables: [
      {
        title: 'Signed-in requests by API processes',
        method:
          'Requests whose access token, rate limit and path are checked, and that need no database (403, wrong role), so that ' +
          `the API alone is measured; ${SOCKETS} connections with ${PIPELINE} requests at a time. The client runs on the same ` +
          'cores: what the API could do without it follows from the processor time that the API itself has used.',
        rows,
        plot: { column: 'per second' },
      },
    ],
    goals: [
      goal('API requests/s, 2 processes by 1, client and servers on the same two cores', ratio(two, one), {
        atLeast: 1.7,
      }),
      goal(
        'the same, by processor time: a core for each process',
        2 * (perCore(rows[1]) / perCore(rows[0])),
        {
          atLeast: 1.7,
        },
      ),
    ],
  };
};

/** What a round used, in cores. */
interface Used {
  client: number;
  ours: number;
  perSecond: number;
}

/** The start of an expected response. */
const ANSWER = Buffer.from('HTTP/1.1 403 ');

async function pipelined(url: string, authorization: string, seconds: number): Promise<Round> {
  const start = performance.now();
  const end = start + seconds * 1_000;
  const { port, pathname } = new URL(url);
  const request = `GET ${pathname} HTTP/1.1\r\nHost: bench\r\nAuthorization: ${authorization}\r\n\r\n`.repeat(
    PIPELINE,
  );
  const latencies: number[] = [];
  const lane = async () => {
    const socket = connect(Number(port), '127.0.0.1');
    while (performance.now() < end) {
      const sentAt = performance.now();
      socket.write(request);
      let received = Buffer.alloc(0);
      while (answersIn(received) < PIPELINE) {
        const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(ANSWER_MS) })) as [Buffer];
        received = Buffer.concat([received, chunk]);
      }
      for (let n = 0; n < PIPELINE; n++) latencies.push(performance.now() - sentAt);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: SOCKETS }, lane));
  const done = latencies.length;
  return { done, seconds: (performance.now() - start) / 1_000, latencies, sent: done };
}

/** Counts whole responses: each ends with the last brace of its problem. */
function answersIn(received: Buffer): number {
  let answers = 0;
  for (let at = received.indexOf(ANSWER); at >= 0; at = received.indexOf(ANSWER, at + ANSWER.length))
    answers++;
  return received.at(-1) === BRACE ? answers : answers - 1;
}
