import type { ErrorCode, InputError, Problem } from './api.generated.js';

/** The code of a problem: one that the API documents, or one of the client's own. */
export type ProblemCode =
  | ErrorCode
  /** There is nothing newer than what If-None-Match names. */
  | 'not_modified'
  /** Something between the client and the API has responded. */
  | 'unreadable_response'
  /** There was no response, or not all of it: the status is 0, and `cause` tells more. */
  | 'unreachable';

const NOT_MODIFIED = 304;
const SERVER_ERROR = 500;
/** Statuses below 500 that say that the request was not carried out, or not to its end. */
const PASSING: ReadonlySet<number> = new Set([408, 429]);

/**
 * Thrown for every response that is not a success, also for one of a proxy in front of the API, and if there is none.
 */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable: branch on it, and not on the texts. */
  readonly code: ProblemCode;
  readonly requestId: string;
  readonly errors?: InputError[];
  readonly orderId?: string;
  readonly existingOrderId?: string;
  readonly retryUntil?: string;
  readonly total?: number;
  readonly data?: Problem['data'];
  /** The ETag that a repeated change has to name, where the problem tells it. */
  readonly etag?: string;

  constructor(
    problem: Omit<Problem, 'code'> & { code: ProblemCode },
    headers: Headers,
    options?: ErrorOptions,
  ) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`, options);
    this.type = problem.type;
    this.title = problem.title;
    this.status = problem.status;
    this.detail = problem.detail;
    this.code = problem.code;
    this.requestId = problem.requestId;
    this.errors = problem.errors;
    this.orderId = problem.orderId;
    this.existingOrderId = problem.existingOrderId;
    this.retryUntil = problem.retryUntil;
    this.total = problem.total;
    this.data = problem.data;
    this.etag = headers.get('ETag') ?? undefined;
  }
}

/** Returns whether something is a problem of the API, with this code if one is given. */
export function isProblem(error: unknown, code?: ProblemCode): error is ProblemError {
  return error instanceof ProblemError && (code === undefined || error.code === code);
}

/** Returns whether the same may succeed a while later, without anybody doing anything about it. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return false;
  const { status, code } = error;
  return code === 'unreachable' || status >= SERVER_ERROR || PASSING.has(status);
}

/** The problem that there was no response. */
export function unreachable(cause: unknown): ProblemError {
  const problem = {
    type: 'about:blank',
    title: 'No response',
    status: 0,
    detail: `The API could not be reached, or the connection broke (${String(cause)}): try again later.`,
    code: 'unreachable' as const,
    requestId: '',
  };
  return new ProblemError(problem, new Headers(), { cause });
}

/** Reads the problem of a response. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const body = await read(response);
  return new ProblemError(isBody(body) ? body : madeFor(response), response.headers);
}

async function read(response: Response): Promise<unknown> {
  try {
    return (await response.json()) as unknown;
  } catch {
    return undefined;
  }
}

function isBody(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string';
}

function madeFor({ status, statusText, headers }: Response) {
  const isKnown = status === NOT_MODIFIED;
  return {
    type: 'about:blank',
    title: statusText || `Status ${status}`,
    status,
    detail: isKnown
      ? 'There is nothing newer than what If-None-Match names.'
      : 'The response is not from the API: something between you and it has responded.',
    code: isKnown ? ('not_modified' as const) : ('unreadable_response' as const),
    requestId: headers.get('X-Request-Id') ?? '',
  };
}
