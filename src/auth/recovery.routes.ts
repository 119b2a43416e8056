import { senderOf } from '../http/origin';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import { confirmBody, forgotBody, resetBody } from './recovery.schema';
import type { RecoveryService } from './recovery.service';

const TAG = 'Auth';

export function recoveryRoutes(recovery: RecoveryService): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/confirm',
      role: Role.PUBLIC,
      operationId: 'confirmAddress',
      summary: 'Confirm an e-mail address',
      description:
        'With the token that was sent to the address after `POST /auth/register` or `PATCH /users/me`. From then on the ' +
        'address signs in, and no other account can have it.',
      tag: TAG,
      body: confirmBody,
      responses: { 204: { description: 'The address is confirmed' } },
      errors: ['already_exists'],
      async handler(ctx, { body }) {
        ctx.state.logFields = await recovery.confirm(body, senderOf(ctx));
        ctx.status = 204;
      },
    }),
    route({
      method: 'post',
      path: '/auth/forgot',
      role: Role.PUBLIC,
      operationId: 'forgotPassword',
      summary: 'Ask for a new password',
      description:
        'Sends a mail with a token for `POST /auth/reset`, if there is an account. The response is the same in any case. An ' +
        'address gets five mails an hour at most, and one client may ask 20 times an hour (`MAX_REGISTRATIONS_PER_ADDRESS`).',
      tag: TAG,
      body: forgotBody,
      responses: { 202: { description: 'If there is an account, a mail is on its way' } },
      errors: [],
      async handler(ctx, { body }) {
        await recovery.forgot(body.email, ctx.ip);
        ctx.body = null; // or Koa would send the word Accepted
        ctx.status = 202;
      },
    }),
    route({
      method: 'post',
      path: '/auth/reset',
      role: Role.PUBLIC,
      operationId: 'resetPassword',
      summary: 'Choose a new password',
      description:
        'With the token that was sent after `POST /auth/forgot`. It ends all sessions and the API keys that were made in ' +
        'them, and confirms the address. Sign in with the new password then.',
      tag: TAG,
      body: resetBody,
      responses: { 204: { description: 'The password is changed' } },
      errors: [],
      async handler(ctx, { body }) {
        ctx.state.logFields = await recovery.reset(body, senderOf(ctx));
        ctx.status = 204;
      },
    }),
  ];
}
