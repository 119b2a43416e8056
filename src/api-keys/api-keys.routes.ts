import { idCursor } from '../common/pagination';
import { originOf } from '../http/origin';
import { sendData, sendPage } from '../http/respond';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import { presentApiKey } from './api-keys.presenter';
import * as schema from './api-keys.schema';
import { MAX_VALID_KEYS } from './api-key';
import type { ApiKeyService } from './api-keys.service';

const TAG = 'API keys';
const PATH = '/api-keys';
const cursors = idCursor('key');

/** These routes are for users only: a key that could create keys could give itself every scope. */
export function apiKeyRoutes(keys: ApiKeyService): Route[] {
  return [
    route({
      method: 'post',
      path: PATH,
      role: Role.ADMIN,
      operationId: 'createApiKey',
      summary: 'Create an API key for a program',
      description:
        'Only this response shows the key. The key may do what its scopes allow, as an ADMIN, until it expires, is ' +
        'revoked, or you are no active ADMIN any more. Needs your password as `currentPassword`, unless you signed in ' +
        `during the last five minutes. You can have ${MAX_VALID_KEYS} valid keys.`,
      tag: TAG,
      body: schema.createApiKeyBody,
      responses: { 201: { description: 'The new key', data: schema.newApiKey } },
      errors: ['invalid_transition'],
      async handler(ctx, { body: { currentPassword, ...body }, principal }) {
        const proof = { ...originOf(ctx, principal), currentPassword };
        const { apiKey, key } = await keys.create(body, principal, proof);
        ctx.state.logFields = { apiKeyId: apiKey.id };
        ctx.set('Cache-Control', 'no-store');
        sendData(ctx, 201, { ...presentApiKey(apiKey), key });
      },
    }),
    route({
      method: 'get',
      path: PATH,
      role: Role.ADMIN,
      operationId: 'listApiKeys',
      summary: 'List API keys, newest first',
      description: 'The list includes revoked and expired keys.',
      tag: TAG,
      query: schema.listApiKeysQuery,
      responses: { 200: { description: 'A page of keys', data: schema.apiKey, list: true } },
      errors: [],
      async handler(ctx, { query: { limit, cursor, createdBy } }) {
        const page = await keys.list({ createdBy, limit, after: cursors.read(cursor) });
        sendPage(ctx, page.entries.map(presentApiKey), { limit, nextCursor: cursors.after(page) });
      },
    }),
    route({
      method: 'delete',
      path: `${PATH}/:id`,
      role: Role.ADMIN,
      operationId: 'revokeApiKey',
      summary: 'Revoke an API key',
      description: 'Every process rejects the key within a second. It stays in the list.',
      tag: TAG,
      params: schema.apiKeyIdParams,
      responses: { 204: { description: 'The key is revoked' } },
      errors: ['not_found'],
      async handler(ctx, { params: { id }, principal }) {
        ctx.state.logFields = { apiKeyId: id };
        await keys.revoke(id, originOf(ctx, principal));
        ctx.status = 204;
      },
    }),
  ];
}
