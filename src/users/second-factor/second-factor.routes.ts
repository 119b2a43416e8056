import { originOf } from '../../http/origin';
import { sendData } from '../../http/respond';
import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import * as schema from './second-factor.schema';
import type { SecondFactorService } from './second-factor.service';

const TAG = 'Users';

export function secondFactorRoutes(service: SecondFactorService): Route[] {
  return [
    route({
      method: 'post',
      path: '/users/me/totp',
      role: Role.CUSTOMER,
      operationId: 'beginTotp',
      summary: 'Set up an authenticator app',
      description:
        'Returns the secret for the app (TOTP, RFC 6238), and sends a mail with a token. Codes are asked for once ' +
        '`POST /users/me/totp/confirm` has seen one of them, and the token. ADMINs have to have an app (`ADMIN_2FA`): without ' +
        'one, they may do what CUSTOMERs may.',
      tag: TAG,
      body: schema.beginTotpBody,
      responses: { 201: { description: 'The secret', data: schema.totpSecret } },
      errors: ['invalid_transition', 'not_found'],
      async handler(ctx, { body: { currentPassword }, principal }) {
        sendData(ctx, 201, await service.begin(principal, { currentPassword, address: ctx.ip }));
      },
    }),
    route({
      method: 'post',
      path: '/users/me/totp/confirm',
      role: Role.CUSTOMER,
      operationId: 'confirmTotp',
      summary: 'Turn on the authenticator app',
      description:
        'With the first code of the app and the token of the mail. Your other sessions end. An ADMIN who had no app before ' +
        'refreshes the tokens then, to act as an ADMIN.',
      tag: TAG,
      body: schema.confirmTotpBody,
      responses: { 200: { description: 'The recovery codes', data: schema.recoveryCodes } },
      errors: ['invalid_transition', 'not_found'],
      async handler(ctx, { body, principal }) {
        const recoveryCodes = await service.turnOn(principal, body, originOf(ctx, principal));
        sendData(ctx, 200, { recoveryCodes } satisfies schema.RecoveryCodesView);
      },
    }),
    route({
      method: 'delete',
      path: '/users/me/totp',
      role: Role.CUSTOMER,
      operationId: 'removeTotp',
      summary: 'Remove the authenticator app',
      description:
        'With one of its codes, or a recovery code. All your sessions end. Log in again to set up another app.',
      tag: TAG,
      body: schema.removeTotpBody,
      responses: { 204: { description: 'Signing in needs the password only, and you are signed out' } },
      errors: ['not_found'],
      async handler(ctx, { body, principal }) {
        await service.turnOff(principal, body.code, originOf(ctx, principal));
        ctx.status = 204;
      },
    }),
  ];
}
