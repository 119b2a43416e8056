import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { count, repeat, type Tally } from './tally';
import { dripFrom } from './slow-clients';

const TEN_MEGABYTES = 10_000_000;
const AT_A_TIME = 20;
const DEPTH = 10_000;
const SLOW_SOCKETS = 100;

export interface Attack {
  what: string;
  times: number;
  /** The status that each request must get. */
  expected: number;
  run(url: string, times: number): Promise<Tally>;
}

const large = Buffer.alloc(TEN_MEGABYTES, ' ');
const bomb = gzipSync(large);
const deep = Buffer.from(`{"email":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`);

/** All of them use a route that needs no access token. */
export const attacks: readonly Attack[] = [
  attack('bodies of 10 MB', 500, 413, { 'Content-Length': String(TEN_MEGABYTES) }, large),
  attack('bodies of 10 MB in chunks', 500, 413, { 'Transfer-Encoding': 'chunked' }, large),
  attack('gzip bombs of 10 MB', 2_000, 413, { 'Content-Encoding': 'gzip' }, bomb),
  attack('JSON 10 000 deep', 5_000, 400, {}, deep),
  attack('20 kB of headers', 5_000, 431, { 'X-Large': 'x'.repeat(20_000) }, Buffer.from('{}')),
  { what: 'slow sockets', times: SLOW_SOCKETS, expected: 408, run: (url, times) => dripFrom(url, times) },
];

function attack(
  what: string,
  times: number,
  expected: number,
  headers: Record<string, string>,
  body: Buffer,
): Attack {
  return {
    what,
    times,
    expected,
    async run(url, requests) {
      const tally: Tally = {};
      await repeat(requests, AT_A_TIME, async () => count(tally, await send(url, headers, body)));
      return tally;
    },
  };
}

function send(url: string, headers: Record<string, string>, body: Buffer): Promise<number | string> {
  return new Promise((resolve) => {
    const options = {
      method: 'POST',
      agent: false,
      headers: { 'Content-Type': 'application/json', ...headers },
    } as const;
    const sent = request(`${url}/auth/login`, options, (response) => {
      response.resume();
      resolve(response.statusCode!);
      response.once('end', () => sent.destroy());
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    sent.end(body);
  });
}
