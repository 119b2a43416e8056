import Joi from 'joi';
import type { Response } from 'supertest';
import type { Route } from '../../src/http/route';
import { ERROR_CODES, type ErrorCode, PROBLEM_TYPE, PROBLEMS, problemType } from '../../src/errors/problems';
import { errorCodesOf } from '../../src/openapi/responses';

const requestId = Joi.string().required();
const meta = Joi.object({ requestId }).required();
const page = Joi.object({ limit: Joi.number().required(), nextCursor: Joi.string().allow(null).required() });
const pageMeta = Joi.object({ requestId, page: page.required() }).required();
const feed = Joi.object({ position: Joi.number().required(), latest: Joi.number().required() });
const feedMeta = Joi.object({ requestId, feed: feed.required() }).required();
const problem = Joi.object({
  type: Joi.string().required(),
  title: Joi.string().required(),
  status: Joi.number().required(),
  detail: Joi.string().required(),
  code: Joi.string()
    .valid(...ERROR_CODES)
    .required(),
  requestId,
  errors: Joi.array().items(
    Joi.object({ path: Joi.string().allow('').required(), message: Joi.string().required() }),
  ),
  traceId: Joi.string().hex().length(32),
  orderId: Joi.string(),
  existingOrderId: Joi.string(),
  retryUntil: Joi.string().isoDate(),
  total: Joi.number(),
  data: Joi.any(),
});

/**
 * Returns a check for supertest's `expect`: it throws unless the route declares the response's status, shape
 * and code.
 */
export function conformsTo(routes: Route[], prefix: string): (response: Response) => void {
  return (response) => {
    const { method, path } = (response as unknown as { req: { method: string; path: string } }).req;
    const route = findRoute(routes, method, path.slice(prefix.length).split('?')[0]!);
    if (response.status >= 400) assertProblem(response, route);
    else if (route) assertSuccess(response, route);
  };
}

function findRoute(routes: Route[], method: string, path: string): Route | undefined {
  return routes.find(
    (route) =>
      route.method === method.toLowerCase() &&
      new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}/?$`).test(path),
  );
}

function assertProblem(response: Response, route: Route | undefined): void {
  Joi.assert(response.body, problem, { convert: false });
  const { code, status, type } = response.body as { code: ErrorCode; status: number; type: string };
  if (response.headers['content-type'] !== PROBLEM_TYPE)
    throw new Error(`The content type is not ${PROBLEM_TYPE}.`);
  if (status !== response.status || PROBLEMS[code].status !== status)
    throw new Error(`${code} does not have the status ${status}.`);
  if (type !== problemType(code)) throw new Error(`${type} is not the type of ${code}.`);
  if (route && !errorCodesOf(route).includes(code))
    throw new Error(`${route.operationId} does not declare ${code}.`);
}

function assertSuccess(response: Response, route: Route): void {
  const spec = route.responses[response.status];
  if (!spec) throw new Error(`${route.operationId} does not declare ${response.status}.`);
  for (const name of Object.keys(spec.headers ?? {})) {
    if (!(name.toLowerCase() in response.headers))
      throw new Error(`${route.operationId} lacks the header ${name}.`);
  }
  if (!spec.data) return;
  if (spec.mediaType) return Joi.assert(String(response.text ?? response.body), Joi.string().required());
  if (spec.raw) return Joi.assert(response.body, spec.data.required(), { convert: false });
  if (spec.orStream !== undefined && response.type === 'text/event-stream') return;
  const data = spec.list || spec.feed ? Joi.array().items(spec.data) : spec.data;
  const metaOf = spec.list ? pageMeta : meta;
  const envelope = Joi.object({ data: data.required(), meta: spec.feed ? feedMeta : metaOf });
  Joi.assert(response.body, envelope, { convert: false });
}
