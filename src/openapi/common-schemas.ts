import { ERROR_CODES, problemType } from '../errors/problems';
import { MAX_ERRORS } from '../errors/invalid';
import type { JsonSchema } from './json-schema';

const requestId: JsonSchema = { type: 'string', description: 'The id of the request in the logs' };

const page: JsonSchema = {
  type: 'object',
  title: 'PageInfo',
  required: ['limit', 'nextCursor'],
  additionalProperties: false,
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 100 },
    nextCursor: { type: ['string', 'null'], description: 'For `?cursor=`; null on the last page' },
  },
};

const feed: JsonSchema = {
  type: 'object',
  title: 'FeedInfo',
  required: ['position', 'latest'],
  additionalProperties: false,
  properties: {
    position: { type: 'integer', minimum: 0, description: 'For `?after=`: all up to it is known now' },
    latest: { type: 'integer', minimum: 0, description: 'That of the last event that there is' },
  },
};

const problem: JsonSchema = {
  type: 'object',
  description: 'What went wrong (RFC 9457). Branch on `code`, which is stable, and not on the texts.',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri', examples: [problemType('not_found')] },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What happened and what to do' },
    code: { type: 'string', enum: ERROR_CODES, title: 'ErrorCode' },
    requestId,
    traceId: {
      type: 'string',
      pattern: '^[0-9a-f]{32}$',
      description: 'The id of the request among the traces, if the API is traced',
    },
    errors: {
      type: 'array',
      description: 'All mistakes in the input, or the first ones of many',
      maxItems: MAX_ERRORS,
      items: {
        type: 'object',
        required: ['path', 'message'],
        additionalProperties: false,
        title: 'InputError',
        properties: {
          path: { type: 'string', examples: ['items.0.quantity'] },
          message: { type: 'string' },
        },
      },
    },
    orderId: {
      type: 'string',
      description: 'The order that the problem is about, which stays readable if it is rejected',
    },
    existingOrderId: { type: 'string', description: 'The order that already has the `externalRef`' },
    retryUntil: {
      type: 'string',
      format: 'date-time',
      description: 'Until when the order can be paid with another card',
    },
    total: { type: 'integer', description: "What the order would cost now, in the currency's minor unit" },
    data: {
      type: 'object',
      description: 'The data that a successful response would have had, as far as it is known',
      additionalProperties: true,
    },
  },
};

/** The schemas that all operations share. */
export const COMMON_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Meta: {
    type: 'object',
    required: ['requestId'],
    additionalProperties: false,
    properties: { requestId },
  },
  PageMeta: {
    type: 'object',
    required: ['requestId', 'page'],
    additionalProperties: false,
    properties: { requestId, page },
  },
  FeedMeta: {
    type: 'object',
    required: ['requestId', 'feed'],
    additionalProperties: false,
    properties: { requestId, feed },
  },
  Problem: problem,
};
