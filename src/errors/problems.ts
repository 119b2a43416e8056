/** Every code that the API can return, with its HTTP status. The codes are stable: clients branch on them. */
export const PROBLEMS = {
  validation_failed: { status: 400, title: 'Validation failed' },
  idempotency_key_required: { status: 400, title: 'Idempotency-Key required' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  payment_declined: { status: 402, title: 'Payment declined' },
  payment_action_failed: { status: 402, title: 'Payment action failed' },
  payment_action_expired: { status: 402, title: 'Payment action expired' },
  forbidden: { status: 403, title: 'Forbidden' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  request_timeout: { status: 408, title: 'Request timeout' },
  out_of_stock: { status: 409, title: 'Out of stock' },
  invalid_transition: { status: 409, title: 'Invalid transition' },
  already_exists: { status: 409, title: 'Already exists' },
  price_changed: { status: 409, title: 'Price changed' },
  cart_ordered: { status: 409, title: 'Cart ordered' },
  position_gone: { status: 410, title: 'Position gone' },
  precondition_failed: { status: 412, title: 'Precondition failed' },
  payload_too_large: { status: 413, title: 'Payload too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  unknown_product: { status: 422, title: 'Unknown product' },
  mixed_currencies: { status: 422, title: 'Mixed currencies' },
  idempotency_key_reused: { status: 422, title: 'Idempotency-Key reused' },
  amount_too_large: { status: 422, title: 'Amount too large' },
  precondition_required: { status: 428, title: 'Precondition required' },
  rate_limited: { status: 429, title: 'Rate limited' },
  headers_too_large: { status: 431, title: 'Headers too large' },
  internal_error: { status: 500, title: 'Internal error' },
  not_implemented: { status: 501, title: 'Not implemented' },
  service_unavailable: { status: 503, title: 'Service unavailable' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof PROBLEMS;

export const ERROR_CODES = Object.keys(PROBLEMS) as ErrorCode[];

/** JSON is always UTF-8 (RFC 8259), which not every client knows of this type. */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The members that every problem document has. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  requestId: string;
}

export function problemOf(code: ErrorCode, detail: string, requestId: string): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: problemType(code), title, status, detail, code, requestId };
}

export function problemType(code: ErrorCode): string {
  return `urn:orders-management-system:problem:${code}`;
}
