import { sendData } from '../common/respond';
import { route, type Context, type Route } from '../common/route';
import { Role } from '../role/role';
import { loginBody, registerBody, session, type Session } from './users.schema';
import type { UsersService } from './users.service';

export function userRoutes(users: UsersService): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/register',
      role: Role.PUBLIC,
      operationId: 'register',
      summary: 'Open an account',
      description: 'The new user is a CUSTOMER and is signed in at once.',
      tag: 'Auth',
      body: registerBody,
      responses: {
        201: { description: 'The new user and an access token', data: session },
      },
      errors: ['already_exists'],
      handler: async (ctx, { body }) => sendSession(ctx, 201, await users.register(body)),
    }),
    route({
      method: 'post',
      path: '/auth/login',
      role: Role.PUBLIC,
      operationId: 'login',
      summary: 'Sign in',
      description: 'Put the `accessToken` of the answer into **Authorize**.',
      tag: 'Auth',
      body: loginBody,
      responses: {
        200: { description: 'The user and an access token', data: session },
      },
      errors: ['unauthorized'],
      handler: async (ctx, { body }) => sendSession(ctx, 200, await users.login(body)),
    }),
  ];
}

function sendSession(ctx: Context, status: number, data: Session): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.state.logFields = { userId: data.user.id };
  sendData(ctx, status, data);
}
