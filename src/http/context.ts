import type Koa from 'koa';
import type { Logger } from 'pino';
import type { Principal } from '../role/principal';

/** What the middleware leaves for those after it. */
export interface State {
  requestId: string;
  /** The request's own logger; every line carries the request id. */
  log: Logger;
  /** Who calls; absent without a valid access token. */
  principal?: Principal;
  /** Fields that a handler adds to the request's one log line, such as `{ orderId }`. */
  logFields?: Record<string, unknown>;
  /** The error that became the answer, for the log. */
  error?: unknown;
}

export type Context = Koa.ParameterizedContext<State>;
export type Middleware = Koa.Middleware<State>;
