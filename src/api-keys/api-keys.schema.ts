import Joi from 'joi';
import { isoTimeText } from '../common/dates';
import { idSchema } from '../common/ids';
import { pageQuery, type PageQuery } from '../common/pagination';
import { singleLine } from '../common/text';
import { SCOPES, type Scope } from '../role/scope';
import { reauthentication } from '../users/users.schema';

/** An API key as the API presents it, without the key itself. */
export interface ApiKeyView {
  id: string;
  name: string;
  start: string;
  scopes: Scope[];
  createdBy: string;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

export interface NewApiKeyView extends ApiKeyView {
  key: string;
}

const time = Joi.string().isoDate();
const scope = Joi.string()
  .valid(...SCOPES)
  .meta({ component: 'ApiKeyScope' });

const fields = {
  id: idSchema('key').required().example('key_01JD3Z7M4Q8XKQ0V5W2N9R6TBC'),
  name: Joi.string().required().example('Warehouse'),
  start: Joi.string().required().description('The first characters of the key').example('oms_q83v'),
  scopes: Joi.array().items(scope).required().example(['orders:read', 'orders:write']),
  createdBy: Joi.string().required().description('A user id').example('usr_01HZX000000000000000ADM1N0'),
  createdAt: time.required().example('2026-01-15T09:00:00.000Z'),
  expiresAt: time.allow(null).required().example(null),
  revokedAt: time.allow(null).required().example(null),
  lastUsedAt: time.allow(null).required().description('Accurate to the minute').example(null),
};

export const apiKey = Joi.object<ApiKeyView, true>(fields).id('ApiKey');

export const newApiKey = Joi.object<NewApiKeyView, true>({
  ...fields,
  key: Joi.string()
    .required()
    .description('Shown only once. Send it as `Authorization: Bearer <key>`')
    .example('oms_q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA'),
}).id('CreatedApiKey');

export interface CreateApiKeyBody {
  name: string;
  scopes: Scope[];
  expiresAt?: string | null;
  currentPassword?: string;
}

export const createApiKeyBody = Joi.object<CreateApiKeyBody, true>({
  name: singleLine(100).required().description('The program that the key is for'),
  scopes: Joi.array().items(scope).unique().min(1).required().description('Everything that the key may do'),
  expiresAt: isoTimeText()
    .allow(null)
    .description(
      'When the key expires; without it, after `API_KEY_TTL_DAYS` (90 days), and with null, never',
    ),
  currentPassword: reauthentication,
})
  .id('CreateApiKeyRequest')
  .example({ name: 'Warehouse', scopes: ['orders:read', 'orders:write'] });

export interface ApiKeyIdParams {
  id: string;
}

export const apiKeyIdParams = Joi.object<ApiKeyIdParams, true>({
  id: idSchema('key').required().example('key_01JD3Z7M4Q8XKQ0V5W2N9R6TBC'),
});

export type ListApiKeysQuery = PageQuery & { createdBy?: string };

export const listApiKeysQuery = Joi.object<ListApiKeysQuery, true>({
  ...pageQuery,
  createdBy: idSchema('usr')
    .description('The user who made the keys')
    .example('usr_01HZX000000000000000ADM1N0'),
});
