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
  /** Requests that were answered as expected. */
  done: number;
  seconds: number;
  /** Milliseconds each. */
  latencies: number[];
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

/** Always so many in flight: the next one is sent when one is answered (closed loop). It measures throughput. */
export async function closedLoop(
  work: () => Promise<void>,
  { inFlight, seconds }: { inFlight: number; seconds: number },
): Promise<Round> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1_000;
  const lane = async () => {
    while (performance.now() < end) {
      const sentAt = performance.now();
      await work();
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { done: latencies.length, seconds: (performance.now() - start) / 1_000, latencies };
}

/**
 * So many a second, whether the ones before are answered or not (open loop). A latency counts from when the request
 * should have been sent, so that a stall counts for all that had to wait (no coordinated omission).
 */
export async function openLoop(
  work: () => Promise<void>,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Round> {
  const latencies: number[] = [];
  const pending: Promise<void>[] = [];
  const start = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const dueAt = start + (n * 1_000) / perSecond;
    const early = dueAt - performance.now();
    if (early > 0) await delay(early);
    pending.push(work().then(() => void latencies.push(performance.now() - dueAt)));
  }
  await Promise.all(pending);
  return { done: latencies.length, seconds: (performance.now() - start) / 1_000, latencies };
}
