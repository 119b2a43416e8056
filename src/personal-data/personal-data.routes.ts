import Joi from 'joi';
import { originOf } from '../http/origin';
import { sendData } from '../http/respond';
import { route, type Route } from '../http/route';
import { sendStream } from '../http/stream';
import { Role } from '../role/role';
import { presentUser } from '../users/users.presenter';
import { user, userIdParams } from '../users/users.schema';
import { eraseUserBody, EXPORT_EXAMPLE } from './personal-data.schema';
import type { PersonalDataService } from './personal-data.service';

const TAG = 'Users';

/** For users only: what a program is to know of people, its routes tell it. */
export function personalDataRoutes(service: PersonalDataService): Route[] {
  return [exportUserRoute(service), eraseUserRoute(service)];
}

function exportUserRoute(service: PersonalDataService): Route {
  return route({
    method: 'get',
    path: '/users/:id/export',
    role: Role.CUSTOMER,
    operationId: 'exportUser',
    summary: 'Export all that is kept of a user',
    description:
      'Your own data; an ADMIN exports those of any user. Each line is a JSON object with a `type`: first the `user`, then ' +
      'each `session`, `cart`, `order` (as the customer sees it), `apiKey` and `auditEntry` (of what the user did, and what was ' +
      'changed of theirs). The file is complete only if the response ends properly: after a failure in the middle, the ' +
      'connection is cut off.',
    tag: TAG,
    params: userIdParams,
    responses: {
      200: {
        description: 'Lines of JSON in UTF-8',
        data: Joi.string().example(EXPORT_EXAMPLE),
        mediaType: 'application/x-ndjson',
        headers: { 'Content-Disposition': 'The name of the file' },
      },
    },
    errors: ['not_found'],
    async handler(ctx, { params: { id }, principal }) {
      ctx.state.logFields = { exportedUserId: id };
      await sendStream(ctx, await service.export(id, principal, originOf(ctx, principal)), {
        type: 'application/x-ndjson; charset=utf-8',
        filename: `${id}.ndjson`,
      });
    },
  });
}

function eraseUserRoute(service: PersonalDataService): Route {
  return route({
    method: 'post',
    path: '/users/:id/erase',
    role: Role.CUSTOMER,
    operationId: 'eraseUser',
    summary: 'Erase the personal data of a user',
    description:
      'Your own data; an ADMIN erases those of any user. The account is closed at once and permanently: tokens, sessions and ' +
      'API keys end. Name, e-mail address, postal addresses, notes, references and reasons are then erased from orders and ' +
      'logs; goods, amounts and times stay, for the books. 409 while orders are open, owe the customer money or are ' +
      'disputed, and for the last active ADMIN. Erasing what is erased changes nothing.',
    tag: TAG,
    params: userIdParams,
    body: eraseUserBody,
    responses: { 202: { description: 'The account is closed, and the rest is being erased', data: user } },
    errors: ['not_found', 'invalid_transition', 'rate_limited'],
    async handler(ctx, { params: { id }, body: { currentPassword }, principal }) {
      ctx.state.logFields = { erasedUserId: id };
      const proof = { currentPassword, address: ctx.ip };
      sendData(ctx, 202, presentUser(await service.erase(id, principal, proof, ctx.state.requestId)));
    },
  });
}
