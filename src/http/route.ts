import type { ObjectSchema, Schema } from 'joi';
import type { ErrorCode } from '../errors/problems';
import type { Principal, UserPrincipal } from '../role/principal';
import type { Role } from '../role/role';
import type { Scope } from '../role/scope';
import type { Context, Middleware } from './context';

export interface ResponseSpec {
  description: string;
  /**
   * The content of `data`; the document builder wraps it in the envelope. Absent for a response without a
   * body.
   */
  data?: Schema;
  /** Replaces the example of the schema. */
  example?: unknown;
  /** Several instead, by the names that they have among the components of the document. */
  examples?: Readonly<Record<string, unknown>>;
  /** `data` is the whole body, without the envelope, because the protocol is not ours. */
  raw?: true;
  /** `data` is the whole body, in this format instead of JSON. */
  mediaType?: string;
  /** `data` is a page of what the schema describes, with `meta.page`. */
  list?: true;
  /** `data` is a list of what the schema describes, with `meta.feed`. */
  feed?: true;
  /** What the response is, if the caller accepts Server-Sent Events rather than JSON. */
  orStream?: { description: string; example: string };
  /** Headers that every such response has, with their descriptions. */
  headers?: Record<string, string>;
  /** Headers that only some of these responses have, with their descriptions. */
  optionalHeaders?: Record<string, string>;
}

export interface Identification {
  by: Middleware;
  /** The name of its security scheme in the OpenAPI document. */
  scheme: 'codecCookie' | 'orderToken';
}

/** How much a route needs a header: it has to be sent, or may be. */
export type Need = 'required' | 'optional';

export interface RouteInput<
  P,
  Q,
  B,
  H,
  R extends Role,
  S extends Scope | undefined,
  K extends Need | undefined,
> {
  params: P;
  query: Q;
  body: B;
  headers: H;
  idempotencyKey: K extends 'required' ? string : string | undefined;
  /** The versions one of which must be the current one; null for any version. */
  ifMatch: number[] | null;
  principal: R extends 'PUBLIC' ? Principal | undefined : S extends Scope ? Principal : UserPrincipal;
}

/**
 * The one declaration from which a route's guards, its validation and its part of the OpenAPI document are
 * made.
 */
export interface RouteSpec<
  P,
  Q,
  B,
  H,
  R extends Role = Role,
  S extends Scope | undefined = undefined,
  K extends Need | undefined = undefined,
> {
  method: 'get' | 'post' | 'patch' | 'put' | 'delete';
  /** The path below the prefix, for example `/orders/:id`. */
  path: string;
  role: R;
  /** What an API key needs for it; without one, the route is for users only. */
  scope?: S;
  /**
   * For a public route: callers may sign in, and then have to do so properly. A token that is not valid is 401 instead of
   * ignored, and an API key is 403.
   */
  optionalSignIn?: true;
  /** Another way to identify the caller than the access token, tried before the guard. */
  identify?: Identification;
  operationId: string;
  summary: string;
  description?: string;
  tag: string;
  params?: ObjectSchema<P>;
  /** Values are converted to the schema's types. */
  query?: ObjectSchema<Q>;
  /** Undeclared query parameters are ignored, not rejected, because the protocol is not ours and may grow. */
  ignoresOtherQuery?: true;
  /** Types are not converted; unknown keys are rejected. */
  body?: ObjectSchema<B>;
  /** The response may last longer than the caller's token, so the handler is given `ctx.state.mayGoOn`. */
  mayLast?: true;
  /** Replaces the limit of all other routes, for example `1mb`. */
  bodyLimit?: string;
  /** Replaces the number of values that the bodies of all other routes may have. */
  maxValues?: number;
  /** Names in lower case; headers that the schema does not name are ignored. */
  headers?: ObjectSchema<H>;
  /**
   * Whether an Idempotency-Key is supported. It is required wherever a repeat would cost goods or money. Without this,
   * a request with one is rejected.
   */
  idempotency?: K;
  /**
   * Whether If-Match is supported: by everything that changes what has an ETag. Without this, a request with it is
   * rejected. Reading obeys it wherever the response has an ETag, and If-None-Match wherever 304 is declared.
   */
  ifMatch?: Need;
  responses: Record<number, ResponseSpec>;
  /** Headers that problems may have, too, if they tell what came of the request: its rejection, not its mistakes. */
  outcomeHeaders?: Record<string, string>;
  /** Codes beyond those that role, body and the other declarations imply. */
  errors: ErrorCode[];
  handler(ctx: Context, input: RouteInput<P, Q, B, H, R, S, K>): Promise<void> | void;
}

/** A route whose input types were checked where it was declared. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the schemas guarantee at run time what is erased here
export type Route = RouteSpec<any, any, any, any, any, any, any>;

export function route<
  R extends Role,
  P = unknown,
  Q = unknown,
  B = unknown,
  H = unknown,
  S extends Scope | undefined = undefined,
  K extends Need | undefined = undefined,
>(spec: RouteSpec<P, Q, B, H, R, S, K>): Route {
  return spec;
}
