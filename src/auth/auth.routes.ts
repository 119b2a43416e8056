import { senderOf } from '../http/origin';
import { sendData } from '../http/respond';
import type { Context } from '../http/context';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import { presentUser } from '../users/users.presenter';
import {
  challenge,
  loginBody,
  refreshBody,
  registerBody,
  signedIn,
  totpBody,
  type ChallengeView,
  type SignedIn,
} from './auth.schema';
import type { AuthService, SignIn } from './auth.service';

const TAG = 'Auth';

export function authRoutes(auth: AuthService): Route[] {
  return [...signInRoutes(auth), ...sessionRoutes(auth)];
}

function signInRoutes(auth: AuthService): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/register',
      role: Role.PUBLIC,
      operationId: 'register',
      summary: 'Open an account',
      description:
        'The new user is a CUSTOMER and is signed in at once. A mail asks to confirm the address; until then, the account ' +
        'orders in this session, but `POST /auth/login` does not know it. The response is the same whether or not there is ' +
        'an account with the address, and the mail tells. One client may open 20 accounts an hour ' +
        '(`MAX_REGISTRATIONS_PER_ADDRESS`).',
      tag: TAG,
      body: registerBody,
      responses: { 201: { description: 'The new user and the tokens', data: signedIn } },
      errors: [],
      handler: async (ctx, { body }) => sendSignIn(ctx, 201, await auth.register(body, ctx.ip)),
    }),
    route({
      method: 'post',
      path: '/auth/login',
      role: Role.PUBLIC,
      operationId: 'login',
      summary: 'Sign in',
      description:
        'Put the `accessToken` of the response into **Authorize**. After ten wrong passwords for one account from one ' +
        'address, or 30 for any accounts (`MAX_LOGIN_FAILURES_PER_ADDRESS`), the response is 429 until 15 minutes after the ' +
        'first. After 20 for one account from all addresses, each makes the next attempt wait longer, but not where the ' +
        'account is signed in. A user who has an authenticator app gets a challenge for `POST /auth/totp`.',
      tag: TAG,
      body: loginBody,
      responses: {
        200: { description: 'The user and the tokens', data: signedIn },
        202: { description: 'A code of the authenticator app is needed as well', data: challenge },
      },
      errors: ['unauthorized', 'forbidden'],
      async handler(ctx, { body }) {
        const result = await auth.login(body, ctx.ip);
        if ('user' in result) return sendSignIn(ctx, 200, result);
        ctx.set('Cache-Control', 'no-store');
        sendData(ctx, 202, result satisfies ChallengeView);
      },
    }),
    route({
      method: 'post',
      path: '/auth/totp',
      role: Role.PUBLIC,
      operationId: 'showCode',
      summary: 'Sign in with a code of the authenticator app',
      description:
        'After `POST /auth/login` has returned a challenge. A recovery code stands in for a code of the app, once. After ten ' +
        'wrong codes for an account, each makes the next attempt wait longer (429).',
      tag: TAG,
      body: totpBody,
      responses: { 200: { description: 'The user and the tokens', data: signedIn } },
      errors: ['unauthorized'],
      handler: async (ctx, { body }) => sendSignIn(ctx, 200, await auth.showCode(body, ctx.ip)),
    }),
  ];
}

function sessionRoutes(auth: AuthService): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/refresh',
      role: Role.PUBLIC,
      operationId: 'refresh',
      summary: 'Exchange a refresh token for new tokens',
      description:
        'A refresh token can be used once. Using it again ends the session and the API keys that were made in it, since ' +
        'it must have been copied.',
      tag: TAG,
      body: refreshBody,
      responses: { 200: { description: 'The user and the new tokens', data: signedIn } },
      errors: ['unauthorized'],
      handler: async (ctx, { body }) =>
        sendSignIn(ctx, 200, await auth.refresh(body.refreshToken, senderOf(ctx))),
    }),
    route({
      method: 'post',
      path: '/auth/logout',
      role: Role.PUBLIC,
      operationId: 'logout',
      summary: 'Sign out',
      description:
        'Ends the session of the refresh token, if there is one. Every process rejects its access tokens within a second.',
      tag: TAG,
      body: refreshBody,
      responses: { 204: { description: 'The session has ended' } },
      errors: [],
      async handler(ctx, { body }) {
        await auth.logout(body.refreshToken);
        ctx.status = 204;
      },
    }),
  ];
}

function sendSignIn(ctx: Context, status: number, { user, ...tokens }: SignIn): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.state.logFields = { userId: user.id };
  sendData(ctx, status, { user: presentUser(user), ...tokens } satisfies SignedIn);
}
