import { PROBLEMS, type ErrorCode } from './problems';

export interface FieldError {
  /** Where the mistake is, for example `items.0.quantity`; empty for the whole input. */
  path: string;
  message: string;
}

/** How much of a key that the client chose is repeated. */
const MAX_TEXT_LENGTH = 500;

/** The error for a mistake at a path, in so many characters as people read. */
export function fieldError(path: string, message: string): FieldError {
  return { path: shortened(path), message: shortened(message) };
}

function shortened(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
}

export interface AppErrorOptions {
  errors?: FieldError[];
  headers?: Record<string, string>;
  orderId?: string;
  /** The order that is in the way. */
  existingOrderId?: string;
  /** Until when the order can be paid with another card, ISO 8601. */
  retryUntil?: string;
  /** What the order would cost, in minor units, if that is the reason. */
  total?: number;
  /** An extension member of the problem, for a response that says more than its detail. */
  data?: unknown;
  cause?: unknown;
}

/** An error that the API reports as a problem: its detail is written for the client and sent unchanged. */
export class AppError extends Error {
  readonly status: number;
  readonly errors?: FieldError[];
  readonly headers: Record<string, string>;
  readonly orderId?: string;
  readonly existingOrderId?: string;
  readonly retryUntil?: string;
  readonly total?: number;
  readonly data?: unknown;

  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
    options: AppErrorOptions = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = 'AppError';
    this.status = PROBLEMS[code].status;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.orderId = options.orderId;
    this.existingOrderId = options.existingOrderId;
    this.retryUntil = options.retryUntil;
    this.total = options.total;
    this.data = options.data;
  }

  /** Returns a copy of the error with additional headers. */
  with(headers: Record<string, string>): AppError {
    const { code, detail, errors, orderId, existingOrderId, retryUntil, total, data, cause } = this;
    return new AppError(code, detail, {
      errors,
      orderId,
      existingOrderId,
      retryUntil,
      total,
      data,
      cause,
      headers: { ...this.headers, ...headers },
    });
  }
}
