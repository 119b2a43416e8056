import type { Attempt } from '../log';

export interface Request {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT';
  path: string;
  token?: string;
  key?: string | null;
  ifVersion?: number;
  isAsync?: boolean;
  body?: object;
}

/** An answer, or the reason why there is none. */
export interface Answer {
  status: number | null;
  /** Of a problem, or of the connection's error. */
  code?: string;
  retryAfter: string | null;
  etag: string | null;
  data?: unknown;
  /** The order that a problem is about. */
  orderId?: string;
}

/** Longer than the API takes to say that it does not know. */
const TIMEOUT_MS = 15_000;

export async function send(baseUrl: string, request: Request): Promise<Answer> {
  const { method, path, token, key, ifVersion, isAsync, body } = request;
  try {
    const response = await fetch(baseUrl + path, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(key && { 'Idempotency-Key': key }),
        ...(ifVersion !== undefined && { 'If-Match': `"${ifVersion}"` }),
        ...(isAsync && { Prefer: 'respond-async' }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text(); // one that breaks off is no answer
    return {
      status: response.status,
      retryAfter: response.headers.get('Retry-After'),
      etag: response.headers.get('ETag'),
      ...contentOf(text),
    };
  } catch (error) {
    return { status: null, code: codeOf(error), retryAfter: null, etag: null };
  }
}

/** The code of an answer whose body nobody can read. */
const UNREADABLE = 'not_json';

function contentOf(text: string): Pick<Answer, 'code' | 'data' | 'orderId'> {
  try {
    const { code, data, orderId } = JSON.parse(text) as Pick<Answer, 'code' | 'data' | 'orderId'>;
    return { code, data, orderId };
  } catch {
    return { code: UNREADABLE };
  }
}

function codeOf(error: unknown): string {
  const { name, cause } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? name;
}

/** What an answer says of its request: with `unknown`, it may have been done, or may be done at any later time. */
export function outcomeOf({ status }: Pick<Answer, 'status'>): 'ok' | 'fail' | 'unknown' {
  if (status === null || status >= 500 || status === 408 || status === 429) return 'unknown';
  return status < 300 ? 'ok' : 'fail';
}

/** Returns what is wrong with an answer, whatever was asked for. */
export function faultOf(answer: Answer, { method, path }: Request): string | undefined {
  const { status, code, retryAfter, data } = answer;
  if (status === null) return undefined;
  if (code === UNREADABLE) return `${method} ${path} was answered with ${status} and a body that is not JSON`;
  if (status < 300 && data == null) return `${method} ${path} was answered with ${status} without data`;
  if (status < 500) return undefined;
  if (status !== 503) return `${method} ${path} was answered with ${status} ${code ?? ''}`;
  return retryAfter === null ? `${method} ${path} was answered with 503 without Retry-After` : undefined;
}

export const attemptOf = (sent: number, returned: number, process: string, answer: Answer): Attempt => ({
  sent,
  returned,
  process,
  status: answer.status,
  ...(answer.code !== undefined && { code: answer.code }),
});
