/** What the API says went wrong (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** Stable: branch on it, and not on the texts. */
  code: string;
  requestId: string;
  errors?: { path: string; message: string }[];
  orderId?: string;
  existingOrderId?: string;
  retryUntil?: string;
  total?: number;
}

/** Every response of the API that is no success, and what a proxy in front of it answers instead. */
export class ProblemError extends Error implements Problem {
  override readonly name = 'ProblemError';
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors?: { path: string; message: string }[];
  readonly orderId?: string;
  readonly existingOrderId?: string;
  readonly retryUntil?: string;
  readonly total?: number;
  /** The ETag that a repeated change has to name, where the problem tells it. */
  readonly etag?: string;

  constructor(problem: Problem, headers: Headers) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
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
    this.etag = headers.get('ETag') ?? undefined;
  }
}

/** Reads the problem of a response. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const body = await read(response);
  return new ProblemError(isProblem(body) ? body : unreadable(response), response.headers);
}

async function read(response: Response): Promise<unknown> {
  try {
    return (await response.json()) as unknown;
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string';
}

/** A proxy has answered, not the API. */
function unreadable({ status, statusText, headers }: Response): Problem {
  return {
    type: 'about:blank',
    title: statusText || `Status ${status}`,
    status,
    detail: 'The response is none of the API: something between you and it has answered.',
    code: 'unreadable_response',
    requestId: headers.get('X-Request-Id') ?? '',
  };
}
