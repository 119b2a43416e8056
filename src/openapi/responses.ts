import type { Schema } from 'joi';
import { sendsETag } from '../http/request-headers';
import type { ResponseSpec, Route } from '../http/route';
import { ERROR_CODES, PROBLEMS, problemType, type ErrorCode } from '../errors/problems';
import { Role } from '../role/role';
import { exampleOf } from './example';
import type { ComponentRegistry } from './components';
import { componentNameOf, jsonSchemaOf, type JsonSchema } from './json-schema';
import { pascal } from './portable-schema';

const EXAMPLE_REQUEST_ID = '01JD3Z7M4Q8XKQ0V5W2N9R6TBC';
const EXAMPLE_META = {
  Meta: {},
  PageMeta: { page: { limit: 20, nextCursor: null } },
  FeedMeta: { feed: { position: 1_234, latest: 1_234 } },
};
/** Headers of all responses, and of those whose requests are counted. */
const REQUEST_ID = { 'X-Request-Id': 'The id of the request: the one that the caller sent, if it is valid' };
const TRACE = {
  Traceresponse: 'The ids of the trace and the span of the request (W3C Trace Context), if the API is traced',
};
const RATE_LIMIT = {
  'X-RateLimit-Limit': 'How many requests the caller may send in a window of time',
  'X-RateLimit-Remaining': 'How many of them are left',
  'X-RateLimit-Reset': 'When the window ends, in seconds since 1970',
};

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
export function responsesOf(route: Route, registry: ComponentRegistry): Record<string, unknown> {
  const successes = Object.entries(route.responses).map(([status, spec]) => [
    status,
    success(route, spec, registry),
  ]);
  const problems = [...groupByStatus(errorCodesOf(route))].map(([status, codes]) => [
    String(status),
    problem(codes, problemHeadersOf(route, status), registry),
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

function success(route: Route, spec: ResponseSpec, registry: ComponentRegistry): unknown {
  const declared = {
    ...REQUEST_ID,
    ...(route.tag !== 'Health' && { ...TRACE, ...RATE_LIMIT }),
    ...spec.headers,
    ...spec.optionalHeaders,
    ...(route.idempotency && REPEATED),
  };
  const headers = headersOf(declared, registry);
  if (!spec.data) return { description: spec.description, headers };
  const meta = metaOf(spec);
  const isBare = spec.raw === true || spec.mediaType !== undefined;
  const name = componentNameOf(spec.data);
  const data = name
    ? registry.refer(name, jsonSchemaOf(spec.data))
    : registry.inline(`${pascal(route.operationId)}Result`, jsonSchemaOf(spec.data));
  const of = name ?? pascal(route.operationId);
  const schema = isBare ? data : registry.refer(of + WRAPPER[meta], envelope(data, meta));
  const wrapped = (value: unknown) => (isBare ? value : exampleBody(value, meta));
  return {
    description: spec.description,
    headers,
    content: {
      [spec.mediaType ?? 'application/json']: { schema, ...examplesOf(spec, spec.data, wrapped, registry) },
      ...(spec.orStream !== undefined && {
        'text/event-stream': {
          schema: { type: 'string', description: spec.orStream.description },
          example: spec.orStream.example,
        },
      }),
    },
  };
}

function examplesOf(
  spec: ResponseSpec,
  data: Schema,
  wrapped: (value: unknown) => unknown,
  { example }: ComponentRegistry,
): { example?: unknown; examples?: Record<string, unknown> } {
  if (spec.examples === undefined) {
    const value = spec.example ?? exampleOf(data);
    return value === undefined ? {} : { example: wrapped(value) };
  }
  const entries = Object.entries(spec.examples);
  return {
    examples: Object.fromEntries(
      entries.map(([name, value]) => [name, example(name, () => ({ value: wrapped(value) }))]),
    ),
  };
}

type Meta = 'Meta' | 'PageMeta' | 'FeedMeta';

/** What the name of a response ends with, after that of its data. */
const WRAPPER: Readonly<Record<Meta, string>> = { Meta: 'Envelope', PageMeta: 'Page', FeedMeta: 'Feed' };

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

/** Operations with the same problems share a response, which is named after their codes. */
function problem(
  codes: ErrorCode[],
  declared: Record<string, string>,
  registry: ComponentRegistry,
): { $ref: string } {
  const sorted = ERROR_CODES.filter((code) => codes.includes(code));
  const name = sorted.map(pascal).join('Or');
  const { status } = PROBLEMS[sorted[0]!];
  const reference = registry.response(name, () => ({
    description: sorted.map((code) => `${PROBLEMS[code].title} (\`${code}\`)`).join(', or '),
    headers: {},
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(
          sorted.map((code) => [
            code,
            registry.example(pascal(code), () => ({ value: problemExample(code) })),
          ]),
        ),
      },
    },
  }));
  const response = registry.components.responses[name] as { headers: Record<string, object> };
  // Where only some of the operations send a header, its description says so: none of them is always there.
  Object.assign(response.headers, headersOf({ ...REQUEST_ID, ...TRACE, ...declared }, registry));
  if (status === 429) Object.assign(response.headers, headersOf(RATE_LIMIT, registry));
  return reference;
}

function problemExample(code: ErrorCode): Record<string, unknown> {
  const { status, title } = PROBLEMS[code];
  const detail = 'What happened and what to do.';
  return { type: problemType(code), title, status, detail, code, requestId: EXAMPLE_REQUEST_ID };
}

function headersOf(headers: Record<string, string>, { header }: ComponentRegistry): Record<string, object> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, header(name, description)]),
  );
}
