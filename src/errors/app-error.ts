import { PROBLEMS, type ErrorCode } from './problems';

export { PROBLEMS, type ErrorCode };

export interface FieldError {
  /** Where the mistake is, such as `items.0.quantity`; empty for the whole. */
  path: string;
  message: string;
}

export interface AppErrorOptions {
  errors?: FieldError[];
  headers?: Record<string, string>;
  orderId?: string;
  /** Extension member of the problem, for an answer that says more than its detail. */
  data?: unknown;
  cause?: unknown;
}

/** An error with a definite answer: its detail is written for the client and is sent as it stands. */
export class AppError extends Error {
  readonly status: number;
  readonly errors?: FieldError[];
  readonly headers: Record<string, string>;
  readonly orderId?: string;
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
    this.data = options.data;
  }

  /** The same error with other headers besides. */
  with(headers: Record<string, string>): AppError {
    const { code, detail, errors, orderId, data, cause } = this;
    return new AppError(code, detail, {
      errors,
      orderId,
      data,
      cause,
      headers: { ...this.headers, ...headers },
    });
  }
}
