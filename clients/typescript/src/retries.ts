import { unreachable } from './problem.js';

export interface RetryOptions {
  /** How often a request is sent at most. 5 by default. */
  attempts?: number;
  /** How long a single attempt may take, in milliseconds. 60 s by default. */
  timeoutMs?: number;
  /** How long the client waits at most for what Retry-After asks, in milliseconds. 60 s by default. */
  maxWaitMs?: number;
}

const FIRST_WAIT_MS = 250;
const SECOND_MS = 1_000;
/** Statuses that say that the request was not carried out, or not to its end. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
/** The one that is sent before anything is done. */
const RATE_LIMITED = 429;

/**
 * Sends a request until it is answered by something else than that it is to be sent again. Returns the response with all of
 * its body, so that a connection that breaks within it is a failure like any other.
 * @throws {ProblemError} unreachable
 * @param isRepeatable whether the request has no further effect when it is sent again; if not, only what was refused
 * before it could have an effect is
 */
export async function withRetries(
  send: (signal: AbortSignal) => Promise<Response>,
  { attempts = 5, timeoutMs = 60_000, maxWaitMs = 60_000 }: RetryOptions,
  { isRepeatable, signal }: { isRepeatable: boolean; signal?: AbortSignal },
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= attempts;
    try {
      const response = await whole(await send(within(timeoutMs, signal)));
      const isPassing = response.status === RATE_LIMITED || (isRepeatable && PASSING.has(response.status));
      const wait = waitOf(response, attempt);
      if (isLast || !isPassing || wait > maxWaitMs) return response;
      await pause(wait, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (isLast || !isRepeatable) throw unreachable(error);
      await pause(backoff(attempt), signal);
    }
  }
}

async function whole(response: Response): Promise<Response> {
  if (response.body === null) return response;
  const { status, statusText, headers } = response;
  return new Response(await response.arrayBuffer(), { status, statusText, headers });
}

function within(timeoutMs: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

/** Returns how long to wait, in milliseconds: what Retry-After says, in seconds or as a date, and else a growing time. */
function waitOf({ headers }: Response, attempt: number): number {
  const asked = headers.get('Retry-After');
  if (asked === null) return backoff(attempt);
  const seconds = Number(asked);
  const wait = Number.isNaN(seconds) ? Date.parse(asked) - Date.now() : seconds * SECOND_MS;
  return Number.isNaN(wait) ? backoff(attempt) : Math.max(0, wait);
}

/** Clients that failed together do not come again together. */
function backoff(attempt: number): number {
  return FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
}

/** Waits; rejects at once if the signal is aborted meanwhile. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
