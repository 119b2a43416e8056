import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Call {
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

export interface Response {
  status: number;
  body: string;
}

/** The outcome of a round of load. */
export interface Round {
  /** Requests with the expected response while it counted. */
  done: number;
  /** Duration of the count. */
  seconds: number;
  /** Of those requests, in milliseconds. */
  latencies: number[];
  /** All requests, also those before and after it counted. */
  sent: number;
}

export interface SteadyRound extends Round {
  /** When each response came, in milliseconds since the first request. */
  doneAt: number[];
}

/** Shorter than the servers keep idle connections (65 s): a request would be lost in one that is just being closed. */
const IDLE_MS = 55_000;

/** Creates a client that keeps its connections, as many as are needed concurrently. */
export function createHttpClient() {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, timeout: IDLE_MS });
  return {
    send({ url, method, headers, body }: Call): Promise<Response> {
      return new Promise((resolve, reject) => {
        const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
        const sent = request(url, { agent, method, headers: { ...headers, ...length } }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve({ status: response.statusCode!, body: text }));
        });
        sent.on('error', reject).end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

/**
 * Keeps a fixed number of requests in flight (closed loop), to measure throughput. Counting starts when each
 * lane has had its first response, and leaves out requests in flight at the end.
 */
export async function closedLoop(
  work: () => Promise<void>,
  { inFlight, seconds }: { inFlight: number; seconds: number },
): Promise<Round> {
  const latencies: number[] = [];
  let sent = 0;
  let lanesToCome = inFlight;
  let [start, end] = [Infinity, Infinity];
  const lane = async () => {
    for (let isFirst = true; performance.now() < end; isFirst = false) {
      const sentAt = performance.now();
      sent++;
      await work();
      const now = performance.now();
      if (now > start && now <= end) latencies.push(now - sentAt);
      if (isFirst && --lanesToCome === 0) [start, end] = [now, now + seconds * 1_000];
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { done: latencies.length, seconds, latencies, sent };
}

/**
 * Sends requests at a fixed rate, whether earlier ones have finished or not (open loop). A latency starts
 * when the request was due, so a stall counts for every request that had to wait (no coordinated omission).
 * @param work is told when it was due, on the clock of `performance`
 * @param options.byChance sends them as many clients do that know nothing of each other (a Poisson process), and not in step
 * @throws the first failure, after all have been sent
 */
export async function openLoop(
  work: (dueAt: number) => Promise<void>,
  { perSecond, seconds, byChance = false }: { perSecond: number; seconds: number; byChance?: boolean },
): Promise<SteadyRound> {
  const latencies: number[] = [];
  const doneAt: number[] = [];
  const failures: unknown[] = [];
  const pending: Promise<unknown>[] = [];
  const start = performance.now();
  const gap = () => ((byChance ? -Math.log(1 - Math.random()) : 1) * 1_000) / perSecond;
  const end = start + seconds * 1_000;
  for (let dueAt = start; dueAt < end; dueAt += gap()) {
    const early = dueAt - performance.now();
    if (early > 0) await delay(early);
    const answered = () => {
      const now = performance.now();
      latencies.push(now - dueAt);
      doneAt.push(now - start);
    };
    pending.push(work(dueAt).then(answered, (error: unknown) => failures.push(error)));
  }
  await Promise.all(pending);
  if (failures.length > 0) throw failures[0];
  const { length } = latencies;
  return { done: length, seconds: (performance.now() - start) / 1_000, latencies, sent: length, doneAt };
}
