import Joi from 'joi';
import { isoTime } from '../common/dates';
import { ID_PATTERNS, idSchema } from '../common/ids';
import { pageQuery, type PageQuery } from '../common/pagination';
import type { FieldChange } from '../domain/audit';
import type { AuditFilter } from './audit.repository';

/** Who makes changes: a person, a program with an API key, or a program of ours. */
export const ACTOR_TYPES = ['user', 'key', 'system'] as const;

/** An entry of the audit log as the API presents it. */
export interface AuditEntryView {
  id: string;
  at: string;
  actor: { type: (typeof ACTOR_TYPES)[number]; id: string };
  action: string;
  object: string;
  changes: FieldChange[];
  requestId: string | null;
  address: string | null;
  isErased: boolean;
  seal: { day: string; position: number; hash: string } | null;
}

const EXAMPLE: AuditEntryView = {
  id: 'aud_01JD3Z7M4Q8XKQ0V5W2N9R6TBC',
  at: '2026-01-15T09:00:00.000Z',
  actor: { type: 'user', id: 'usr_01HZX000000000000000ADM1N0' },
  action: 'catalogue.change',
  object: 'ps_01HZX0000000000000MVG00000',
  changes: [{ field: 'unitPrice', before: 1_250, after: 1_190 }],
  requestId: '01JD3Z7M4Q8XKQ0V5W2N9R6TBD',
  address: '192.0.2.7',
  isErased: false,
  seal: {
    day: '2026-01-15',
    position: 1,
    hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  },
};

/** What a field had, whatever its type is. */
const anyJson = Joi.any().meta({
  jsonSchema: { type: ['string', 'number', 'boolean', 'object', 'array', 'null'] },
});

export const auditEntry = Joi.object<AuditEntryView, true>({
  id: idSchema('aud').required(),
  at: Joi.string().isoDate().required(),
  actor: Joi.object<AuditEntryView['actor'], true>({
    type: Joi.string()
      .valid(...ACTOR_TYPES)
      .required(),
    id: Joi.string()
      .required()
      .description(
        'The id of the user or API key, `operator` for a command, or `system` for what nobody asked for',
      ),
  }).required(),
  action: Joi.string().required().description('What was done, such as `order.refund`'),
  object: Joi.string().required().description('The id of what was changed'),
  changes: Joi.array()
    .items(
      Joi.object<FieldChange>({
        field: Joi.string()
          .required()
          .description(
            'Of an entry of a list with its id or number, such as `refunds.ref_…` or `items.0.quantity`',
          ),
        before: anyJson.required().description('null where there was nothing'),
        after: anyJson.required().description('null where there is nothing'),
      }),
    )
    .required(),
  requestId: Joi.string().allow(null).required().description('The `X-Request-Id` of the request'),
  address: Joi.string().allow(null).required().description('The network address of the client'),
  isErased: Joi.boolean()
    .required()
    .description('Whether the address and personal values were erased, since the customer asked for it'),
  seal: Joi.object<NonNullable<AuditEntryView['seal']>, true>({
    day: Joi.string().required(),
    position: Joi.number().integer().min(1).required(),
    hash: Joi.string().required(),
  })
    .allow(null)
    .required()
    .description('The place in the chain of the day; null for the first minute'),
})
  .id('AuditEntry')
  .example(EXAMPLE);

export type ListAuditQuery = PageQuery & AuditFilter;

const ACTOR = new RegExp(`${ID_PATTERNS.usr.source}|${ID_PATTERNS.key.source}|^[a-z][a-z-]{0,39}$`);

export const listAuditQuery = Joi.object<ListAuditQuery, true>({
  ...pageQuery,
  actor: Joi.string()
    .pattern(ACTOR)
    .messages({
      'string.pattern.base': '{#label} must be the id of a user or API key, `operator` or `system`',
    })
    .description('The id of a user or API key, `operator` or `system`'),
  object: Joi.string()
    .pattern(/^[a-z]{2,4}_[\w-]{1,64}$/)
    .messages({ 'string.pattern.base': '{#label} must be an id, such as that of an order' })
    .description('The id of an order, user, API key, or entry of the catalogue'),
  from: isoTime().description('Only entries of this time or later'),
});
