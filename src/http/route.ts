import type { ObjectSchema, Schema } from 'joi';
import type { ErrorCode } from '../errors/app-error';
import type { Principal } from '../role/principal';
import type { Role } from '../role/role';
import type { Scope } from '../role/scope';
import type { Context, Middleware } from './context';

export type { Context } from './context';

export interface ResponseSpec {
  description: string;
  /** The content of `data`; the document builder wraps it in the envelope. None: an answer without a body. */
  data?: Schema;
  /** `data` is the whole answer, without the envelope: somebody else's protocol. */
  raw?: true;
  /** `data` is a page of what the schema describes, with `meta.page`. */
  list?: true;
  /** Header name to what it says; every such answer has them. */
  headers?: Record<string, string>;
  /** Those that only some answers have. */
  optionalHeaders?: Record<string, string>;
}

export interface RouteInput<P, Q, B, H, R extends Role> {
  params: P;
  query: Q;
  body: B;
  headers: H;
  principal: R extends 'PUBLIC' ? Principal | undefined : Principal;
}

/** One declaration of a route is its guard, its validation and its page in the OpenAPI document. */
export interface RouteSpec<P, Q, B, H, R extends Role = Role> {
  method: 'get' | 'post' | 'patch' | 'put' | 'delete';
  /** Below the prefix, such as `/orders/:id`. */
  path: string;
  role: R;
  /** What an API key needs for it; without one, the route is for people alone. */
  scope?: Scope;
  /** Another way than the access token to say who calls, tried before the guard. */
  identify?: Middleware;
  operationId: string;
  summary: string;
  description?: string;
  tag: string;
  params?: ObjectSchema<P>;
  /** Values are converted to the schema's types. */
  query?: ObjectSchema<Q>;
  /** Of somebody else's protocol, which may grow: query parameters that are not declared are ignored, not refused. */
  ignoresOtherQuery?: true;
  /** No type conversion; unknown keys are refused. */
  body?: ObjectSchema<B>;
  /** Instead of the limit of all other routes, such as `1mb`. */
  bodyLimit?: string;
  /** Names in lower case; headers that the schema does not name are ignored. */
  headers?: ObjectSchema<H>;
  responses: Record<number, ResponseSpec>;
  /** Beyond those that role, body and the other declarations imply. */
  errors: ErrorCode[];
  handler(ctx: Context, input: RouteInput<P, Q, B, H, R>): Promise<void> | void;
}

/** A route whose input types were checked where it was declared. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the schemas guarantee at run time what is erased here
export type Route = RouteSpec<any, any, any, any, any>;

export function route<R extends Role, P = unknown, Q = unknown, B = unknown, H = unknown>(
  spec: RouteSpec<P, Q, B, H, R>,
): Route {
  return spec;
}
