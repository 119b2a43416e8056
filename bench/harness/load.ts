import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Call {
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  body: string;
}

/** What a round of load gave. */
export interface Round {
  /** Requests that were answered as expected while it counted. */
  done: number;
  /** How long it counted. */
  seconds: number;
  /** Of those, milliseconds each. */
  latencies: number[];
  /** All requests, also those before and after it counted. */
  sent: number;
}

/** Connections that are kept and used again, as many as are needed at once. */
export function createHttpClient() {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  return {
    send({ url, method, headers, body }: Call): Promise<Answer> {
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
 * Always so many in flight: the next one is sent when one is answered (closed loop). It measures throughput, from when
 * each lane has had its first answer, and without those that are still under way at the end.
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
 * So many a second, whether the ones before are answered or not (open loop). A latency counts from when the request
 * should have been sent, so that a stall counts for all that had to wait (no coordinated omission).
 * @throws the first failure, when all have been sent
 */
export async function openLoop(
  work: () => Promise<void>,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Round> {
  const latencies: number[] = [];
  const failures: unknown[] = [];
  const pending: Promise<unknown>[] = [];
  const start = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const dueAt = start + (n * 1_000) / perSecond;
    const early = dueAt - performance.now();
    if (early > 0) await delay(early);
    const answered = () => latencies.push(performance.now() - dueAt);
    pending.push(work().then(answered, (error: unknown) => failures.push(error)));
  }
  await Promise.all(pending);
  if (failures.length > 0) throw failures[0];
  const { length } = latencies;
  return { done: length, seconds: (performance.now() - start) / 1_000, latencies, sent: length };
}
