import Router from '@koa/router';
import Joi from 'joi';
import { AppError } from '../errors/app-error';
import type { Context, Middleware, State } from './context';
import { jsonBody } from './json-body';
import { conditionsOf, explained, judgeRepresentation } from './request-headers';
import type { Route } from './route';
import { inputValidator } from './validate';

export type AppRouter = Router<State>;

export interface RouterOptions {
  prefix: string;
  bodyLimit: string;
  routes: Route[];
  /** Identifies the caller again, once the body has arrived. */
  recognise: Middleware;
  /** Returns what a caller of the route has to pass. */
  guardsOf(route: Route): Middleware[];
}

/**
 * Registers each route as guards, body, validation, handler: a caller who is rejected learns nothing about
 * the input, and no body is read for them. A body may take so long to arrive that its sender is judged once
 * more.
 */
export function createRouter(options: RouterOptions): AppRouter {
  const router: AppRouter = new Router<State>({ prefix: options.prefix, sensitive: true });
  const readBody = jsonBody(options.bodyLimit);
  const keyed = options.routes.filter(({ idempotency }) => idempotency).map(nameOf);
  for (const declared of options.routes) {
    const route = withoutUndeclaredBody(declared);
    const guards = options.guardsOf(route);
    const body = route.bodyLimit ? jsonBody(route.bodyLimit, route.maxValues) : readBody;
    router.register(route.path, [route.method], [
      ...guards,
      ...(route.body ? [body, options.recognise, ...guards] : []),
      ...(route.mayLast ? [judgeLater([options.recognise, ...guards])] : []),
      handle(route, keyed),
    ] as never);
  }
  return router;
}

/** Lets the handler find out whether the caller still passes. */
function judgeLater(guards: readonly Middleware[]): Middleware {
  return (ctx, next) => {
    const pass = async (n: number): Promise<void> => void (await guards[n]?.(ctx, () => pass(n + 1)));
    ctx.state.mayGoOn = () =>
      pass(0).then(
        () => true,
        () => false,
      );
    return next();
  };
}

const NO_BODY = Joi.object({});

/** Routes reject undeclared input: one without a body schema accepts only an empty body. */
function withoutUndeclaredBody(route: Route): Route {
  return route.body || route.method === 'get' ? route : { ...route, body: NO_BODY };
}

/** Responds to OPTIONS with the methods of the path, and to a method that no route has with 405. */
export function otherMethods(router: AppRouter): Middleware {
  return async (ctx, next) => {
    await next();
    if (ctx.status !== 404) return;
    const allowed = allowedMethods(router, ctx);
    if (allowed.length === 0) return;
    if (ctx.method === 'OPTIONS') {
      ctx.set('Allow', allowed.join(', '));
      ctx.status = 204;
    } else if (!allowed.includes(ctx.method)) {
      throw methodNotAllowed(ctx.method, allowed);
    }
  };
}

function allowedMethods(router: AppRouter, ctx: Context): string[] {
  const layers = router.match(ctx.path, ctx.method).path;
  // A path of its own is no id of another one: /orders/export.csv is not an order.
  const exact = layers.filter(({ paramNames }) => paramNames.length === 0);
  const methods = (exact.length > 0 ? exact : layers).flatMap((layer) => layer.methods);
  return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort();
}

function methodNotAllowed(method: string, allowed: string[]): AppError {
  const allow = allowed.join(', ');
  return new AppError('method_not_allowed', `This path does not support ${method}: use one of ${allow}.`, {
    headers: { Allow: allow },
  });
}

/** @param keyed the names of the routes that support an Idempotency-Key */
function handle(route: Route, keyed: readonly string[]): Middleware {
  const validate = inputValidator(route, keyed);
  return async (ctx) => {
    const input = validate(ctx);
    const conditions = conditionsOf(route, input.headers as Record<string, string>);
    const { principal } = ctx.state;
    try {
      await route.handler(ctx, { ...input, ...conditions, principal } as never);
      if (route.method === 'get') judgeRepresentation(ctx, route);
    } catch (error) {
      throw explained(error, ctx.get('If-Match'));
    }
  };
}

function nameOf({ method, path }: Route): string {
  return `${method.toUpperCase()} ${path}`;
}
