import { idCursor } from '../common/pagination';
import { originOf, senderOf } from '../http/origin';
import { sendData, sendPage } from '../http/respond';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import { presentSession, presentUser } from './users.presenter';
import * as schema from './users.schema';
import type { UsersService } from './users.service';

const TAG = 'Users';

export function userRoutes(users: UsersService): Route[] {
  return [...profileRoutes(users), ...ownSessionRoutes(users), ...managementRoutes(users)];
}

function profileRoutes(users: UsersService): Route[] {
  return [
    route({
      method: 'get',
      path: '/users/me',
      role: Role.CUSTOMER,
      operationId: 'getProfile',
      summary: 'Read your own profile',
      tag: TAG,
      responses: { 200: { description: 'Your profile', data: schema.user } },
      errors: ['not_found'],
      handler: async (ctx, { principal }) => sendData(ctx, 200, presentUser(await users.get(principal.id))),
    }),
    route({
      method: 'patch',
      path: '/users/me',
      role: Role.CUSTOMER,
      operationId: 'changeProfile',
      summary: 'Change your name, e-mail address or password',
      description:
        'A new password ends all your other sessions and the API keys that were made in them. The session that continues ' +
        'gets new tokens: `refreshToken` of the response replaces the earlier one. A new address takes effect when ' +
        '`POST /auth/confirm` gets the token that is sent to it.',
      tag: TAG,
      body: schema.changeProfileBody,
      responses: {
        200: { description: 'Your profile after the change', data: schema.changedProfile },
      },
      errors: ['invalid_transition', 'not_found'],
      async handler(ctx, { body, principal }) {
        const { user, tokens } = await users.changeProfile(principal, body, senderOf(ctx));
        if (tokens) ctx.set('Cache-Control', 'no-store');
        sendData(ctx, 200, { ...presentUser(user), ...tokens } satisfies schema.ChangedProfileView);
      },
    }),
  ];
}

function ownSessionRoutes(users: UsersService): Route[] {
  return [
    route({
      method: 'get',
      path: '/users/me/sessions',
      role: Role.CUSTOMER,
      operationId: 'listSessions',
      summary: 'List your sessions, newest first',
      description: `At most ${schema.MAX_SESSIONS} sessions, on one page.`,
      tag: TAG,
      responses: { 200: { description: 'Your sessions', data: schema.listedSession, list: true } },
      errors: ['not_found'],
      async handler(ctx, { principal }) {
        const sessions = await users.listSessions(principal, schema.MAX_SESSIONS);
        const views = sessions.map((session) => presentSession(session, principal.sessionId));
        sendPage(ctx, views, { limit: schema.MAX_SESSIONS, nextCursor: null });
      },
    }),
    route({
      method: 'delete',
      path: '/users/me/sessions',
      role: Role.CUSTOMER,
      operationId: 'endOtherSessions',
      summary: 'Sign out everywhere else',
      description:
        'Ends all your sessions but this one, within a second, and the API keys that were made in them.',
      tag: TAG,
      responses: { 204: { description: 'The other sessions have ended' } },
      errors: [],
      async handler(ctx, { principal }) {
        await users.endOtherSessions(principal, originOf(ctx, principal));
        ctx.status = 204;
      },
    }),
    route({
      method: 'delete',
      path: '/users/me/sessions/:id',
      role: Role.CUSTOMER,
      operationId: 'endSession',
      summary: 'End one of your sessions',
      description:
        'Within a second, and with it the API keys that were made in it, unless it is the session that asks.',
      tag: TAG,
      params: schema.sessionIdParams,
      responses: { 204: { description: 'The session has ended' } },
      errors: ['not_found'],
      async handler(ctx, { params, principal }) {
        await users.endSession(principal, params.id, originOf(ctx, principal));
        ctx.status = 204;
      },
    }),
  ];
}

const cursors = idCursor('usr');

function managementRoutes(users: UsersService): Route[] {
  return [
    route({
      method: 'get',
      path: '/users',
      role: Role.ADMIN,
      scope: 'users:read',
      operationId: 'listUsers',
      summary: 'List users, newest first',
      tag: TAG,
      query: schema.listUsersQuery,
      responses: { 200: { description: 'A page of users', data: schema.user, list: true } },
      errors: [],
      async handler(ctx, { query: { cursor, ...query } }) {
        const page = await users.list({ ...query, after: cursors.read(cursor) });
        sendPage(ctx, page.entries.map(presentUser), { limit: query.limit, nextCursor: cursors.after(page) });
      },
    }),
    route({
      method: 'get',
      path: '/users/:id',
      role: Role.ADMIN,
      scope: 'users:read',
      operationId: 'getUser',
      summary: 'Read a user',
      tag: TAG,
      params: schema.userIdParams,
      responses: { 200: { description: 'The user', data: schema.user } },
      errors: ['not_found'],
      handler: async (ctx, { params }) => sendData(ctx, 200, presentUser(await users.get(params.id))),
    }),
    route({
      method: 'patch',
      path: '/users/:id',
      role: Role.ADMIN,
      operationId: 'changeUser',
      summary: 'Change the role of a user, or disable or enable a user',
      description:
        'Revokes all tokens and sessions of the user, on every process within a second, and the API keys of a user who is ' +
        'no active ADMIN any more. The last active ADMIN can neither be disabled nor lose the role. Needs your password as ' +
        '`currentPassword`, unless you signed in during the last five minutes.',
      tag: TAG,
      params: schema.userIdParams,
      body: schema.changeUserBody,
      responses: { 200: { description: 'The user after the change', data: schema.user } },
      errors: ['not_found', 'invalid_transition'],
      async handler(ctx, { params: { id }, body: { currentPassword, ...change }, principal }) {
        ctx.state.logFields = { changedUserId: id, ...change };
        const proof = { ...originOf(ctx, principal), currentPassword };
        sendData(ctx, 200, presentUser(await users.change(id, change, principal, proof)));
      },
    }),
  ];
}
