import { once } from 'node:events';
import { connect } from 'node:net';
import type { Goal } from '../harness/goals';
import { count, type Tally } from './tally';

/** The default of RATE_LIMIT_MAX, per minute. */
const LIMIT = 100_000;
const WINDOW_S = 60;
const SOCKETS = 20;
/** Requests sent together on one connection, as HTTP/1.1 allows, so that the client costs less. */
const PIPELINE = 50;

/** Sends as many requests as the window allows, and one more. */
export async function onlySoManyRequests(url: string): Promise<Goal[]> {
  const start = performance.now();
  const tally: Tally = {};
  const batches = LIMIT / PIPELINE;
  let begun = 0;
  const lane = async () => {
    const client = openClient(url);
    while (begun < batches) {
      begun++;
      for (const status of await client.send(PIPELINE)) count(tally, status);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: SOCKETS }, lane));
  const last = openClient(url);
  const [status] = await last.send(1);
  last.close();
  const seconds = (performance.now() - start) / 1_000;
  return [
    {
      what: `${LIMIT + 1} requests within a minute, default limit`,
      goal: `${LIMIT} × 200, then 429`,
      measured: `${JSON.stringify(tally)}, then ${status}; ${seconds.toFixed(1)} s, ${Math.round(LIMIT / seconds)}/s`,
      met: seconds < WINDOW_S && tally[200] === LIMIT && status === '429',
    },
  ];
}

function openClient(url: string) {
  const { port, pathname } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1');
  const request = `GET ${pathname}/api/assets/initializer.js HTTP/1.1\r\nHost: bench\r\n\r\n`;
  return {
    /** Sends N requests and returns their statuses. */
    async send(requests: number): Promise<string[]> {
      socket.write(request.repeat(requests));
      let text = '';
      for (;;) {
        text += ((await once(socket, 'data')) as [string])[0];
        const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status!);
        if (statuses.length === requests && isWhole(text)) return statuses;
      }
    },
    close: () => socket.destroy(),
  };
}

/** Returns whether the last response has arrived to the end of its body. */
function isWhole(text: string): boolean {
  const last = text.slice(text.lastIndexOf('HTTP/1.1 '));
  const end = last.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(last)?.[1];
  return end >= 0 && last.length - end - 4 === Number(length);
}
