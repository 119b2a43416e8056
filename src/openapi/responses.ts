import { sendsETag } from '../http/request-headers';
import type { ResponseSpec, Route } from '../http/route';
import { PROBLEMS, problemType, type ErrorCode } from '../errors/problems';
import { Role } from '../role/role';
import { exampleOf } from './example';
import type { JsonSchema } from './json-schema';

type Refer = (schema: NonNullable<ResponseSpec['data']>) => JsonSchema;

const EXAMPLE_REQUEST_ID = '01JD3Z7M4Q8XKQ0V5W2N9R6TBC';
const EXAMPLE_META = {
  Meta: {},
  PageMeta: { page: { limit: 20, nextCursor: null } },
  FeedMeta: { feed: { position: 1_234, latest: 1_234 } },
};
const REQUEST_ID_HEADER = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } };

/** Headers that problems of these statuses have, always or where they apply. */
const PROBLEM_HEADERS: Readonly<Record<number, Record<string, string>>> = {
  401: { 'WWW-Authenticate': 'How to authenticate; with `error="invalid_token"` if a token was sent' },
  412: { ETag: 'The current version' },
  413: { Connection: '`close` if the rest of the body is not read' },
  415: {
    Accept: 'The media type that is supported, if that of the body is not',
    'Accept-Patch': 'The same, for PATCH',
    'Accept-Encoding': 'The content codings that are supported, if that of the body is not',
  },
  429: { 'Retry-After': 'Seconds to wait' },
  503: { 'Retry-After': 'Seconds to wait' },
};

/** The problems that tell what came of a request, as opposed to those of its form, its sender or an outage. */
const OUTCOMES: ReadonlySet<number> = new Set([402, 404, 409, 412, 422]);
const REPEATED = {
  'Idempotent-Replayed': '`true` if an earlier request with this Idempotency-Key got this outcome',
};

/** Returns all responses of a route: those it declares, and the problems it declares or implies. */
export function responsesOf(route: Route, refer: Refer): Record<string, unknown> {
  const repeated = route.idempotency ? REPEATED : {};
  const successes = Object.entries(route.responses).map(([status, spec]) => [
    status,
    success(spec, refer, repeated),
  ]);
  const problems = [...groupByStatus(errorCodesOf(route))].map(([status, codes]) => [
    String(status),
    problem(codes, problemHeadersOf(route, status)),
  ]);
  return Object.fromEntries([...successes, ...problems]);
}

export function errorCodesOf(route: Route): ErrorCode[] {
  const mayHaveBody = route.method !== 'get'; // an undeclared body is rejected
  const implied: [ErrorCode, unknown][] = [
    ['validation_failed', true],
    ['idempotency_key_required', route.idempotency === 'required'],
    ['idempotency_key_reused', route.idempotency],
    ['precondition_required', route.ifMatch === 'required'],
    ['precondition_failed', route.ifMatch ?? sendsETag(route)],
    ['unauthorized', route.role !== Role.PUBLIC || route.optionalSignIn],
    ['forbidden', route.role !== Role.PUBLIC || route.optionalSignIn],
    ['payload_too_large', mayHaveBody],
    ['unsupported_media_type', mayHaveBody],
    ['rate_limited', true],
    ['internal_error', true],
    ['service_unavailable', route.path !== '/health/live'],
  ];
  const codes = [...route.errors, ...implied.filter(([, applies]) => applies).map(([code]) => code)];
  return [...new Set(codes)];
}

function groupByStatus(codes: ErrorCode[]): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

/** Returns the headers that problems of this status have, always or where they apply, with their descriptions. */
function problemHeadersOf(route: Route, status: number): Record<string, string> {
  if (!OUTCOMES.has(status)) return PROBLEM_HEADERS[status] ?? {};
  return {
    ...PROBLEM_HEADERS[status],
    ...(route.ifMatch && { ETag: 'The current version' }),
    ...route.outcomeHeaders,
    ...(route.idempotency && REPEATED),
  };
}

function success(spec: ResponseSpec, refer: Refer, more: Record<string, string>): unknown {
  const declared = { ...spec.headers, ...spec.optionalHeaders, ...more };
  const headers = { ...REQUEST_ID_HEADER, ...headersOf(declared) };
  if (!spec.data) return { description: spec.description, headers };
  const meta = metaOf(spec);
  const isBare = spec.raw === true || spec.mediaType !== undefined;
  const schema = isBare ? refer(spec.data) : envelope(refer(spec.data), meta);
  const data = spec.example ?? exampleOf(spec.data);
  const body = isBare ? data : exampleBody(data, meta);
  const example = data === undefined ? {} : { example: body };
  return {
    description: spec.description,
    headers,
    content: {
      [spec.mediaType ?? 'application/json']: { schema, ...example },
      ...(spec.orStream !== undefined && {
        'text/event-stream': { schema: { type: 'string', description: spec.orStream } },
      }),
    },
  };
}

type Meta = 'Meta' | 'PageMeta' | 'FeedMeta';

function metaOf({ list, feed }: ResponseSpec): Meta {
  if (feed) return 'FeedMeta';
  return list ? 'PageMeta' : 'Meta';
}

function exampleBody(data: unknown, kind: Meta): unknown {
  const meta = { requestId: EXAMPLE_REQUEST_ID, ...EXAMPLE_META[kind] };
  return { data: kind === 'Meta' ? data : [data], meta };
}

function envelope(data: JsonSchema, meta: Meta): JsonSchema {
  return {
    type: 'object',
    required: ['data', 'meta'],
    additionalProperties: false,
    properties: {
      data: meta === 'Meta' ? data : { type: 'array', items: data },
      meta: { $ref: `#/components/schemas/${meta}` },
    },
  };
}

function problem(codes: ErrorCode[], declared: Record<string, string>): unknown {
  return {
    description: codes.map((code) => `${PROBLEMS[code].title} (\`${code}\`)`).join(', or '),
    headers: { ...REQUEST_ID_HEADER, ...headersOf(declared) },
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  };
}

function problemExample(code: ErrorCode): Record<string, unknown> {
  const { status, title } = PROBLEMS[code];
  const detail = 'What happened and what to do.';
  return { type: problemType(code), title, status, detail, code, requestId: EXAMPLE_REQUEST_ID };
}

function headersOf(headers: Record<string, string> = {}): Record<string, unknown> {
  const entries = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}
