import Router from '@koa/router';
import Joi from 'joi';
import { AppError } from '../errors/app-error';
import type { Authentication } from '../authentication/authentication';
import { guard } from '../authentication/guard';
import { Role, type UserRole } from '../role/role';
import type { Context, Middleware, State } from './context';
import { jsonBody } from './json-body';
import type { Route } from './route';
import { inputValidator } from './validate';

export type AppRouter = Router<State>;

export interface RouterOptions {
  prefix: string;
  bodyLimit: string;
  routes: Route[];
  authentication: Authentication;
}

/**
 * Registers each route as guard, body, validation, handler: who may not call learns nothing about the input,
 * and no body is read for them. A body may take so long that whoever sends it is judged once more.
 */
export function createRouter(options: RouterOptions): AppRouter {
  const router: AppRouter = new Router<State>({ prefix: options.prefix, sensitive: true });
  const readBody = jsonBody(options.bodyLimit);
  for (const declared of options.routes) {
    const route = takingNothingElse(declared);
    const judges = judgesOf(route, options.authentication);
    const body = route.bodyLimit ? jsonBody(route.bodyLimit) : readBody;
    router.register(route.path, [route.method], [
      ...judges,
      ...(route.body ? [body, options.authentication.recognise, ...judges] : []),
      handle(route),
    ] as never);
  }
  return router;
}

function judgesOf({ role, scope, identify }: Route, { lookUp, confirm }: Authentication): Middleware[] {
  if (role === Role.PUBLIC) return [];
  return [lookUp, ...(identify ? [identify] : []), guard(role as UserRole, scope), confirm];
}

const NO_BODY = Joi.object({});

/** What a route does not declare it does not take: not in a body that it has none of either. */
function takingNothingElse(route: Route): Route {
  return route.body || route.method === 'get' ? route : { ...route, body: NO_BODY };
}

/** Answers what no route did: OPTIONS with what is allowed, a wrong or unknown method with 405. */
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
  const methods = router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods);
  return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort();
}

function methodNotAllowed(method: string, allowed: string[]): AppError {
  const allow = allowed.join(', ');
  return new AppError('method_not_allowed', `${method} is not possible here: use one of ${allow}.`, {
    headers: { Allow: allow },
  });
}

function handle(route: Route): Middleware {
  const validate = inputValidator(route);
  return async (ctx) => {
    const input = validate(ctx);
    await route.handler(ctx, {
      ...input,
      principal: ctx.state.principal,
    } as never);
  };
}
