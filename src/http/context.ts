import type Koa from 'koa';
import type { Logger } from 'pino';
import type { Principal } from '../role/principal';

/** What a middleware leaves for those that follow it. */
export interface State {
  requestId: string;
  /** The logger of this request; every line carries the request id. */
  log: Logger;
  /** The caller; absent without a valid access token or API key. */
  principal?: Principal;
  /** The payload of a valid access token, left by koa-jwt. */
  accessToken?: object;
  /** koa-jwt would verify access tokens with it, instead of with the configured keys. */
  secret?: undefined;
  /** Fields that a handler adds to the request's one log line, such as `{ orderId }`. */
  logFields?: Record<string, unknown>;
  /** The response has parts without a version, so that a client that has the version may still lack them. */
  hasUnversionedParts?: boolean;
  /** Returns whether the caller may still do this; for routes whose response may last. */
  mayGoOn?(): Promise<boolean>;
  /** The error that became the response, for the log. */
  error?: unknown;
}

export type Context = Koa.ParameterizedContext<State>;
export type Middleware = Koa.Middleware<State>;
