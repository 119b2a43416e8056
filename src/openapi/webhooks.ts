import type { ObjectSchema } from 'joi';
import { exampleOf } from './example';
import type { ComponentRegistry } from './components';
import { componentNameOf, jsonSchemaOf } from './json-schema';
import { pascal } from './portable-schema';

/** Something of which receivers are told by a request of ours. */
export interface WebhookSpec {
  /** The type of the event. */
  name: string;
  summary: string;
  /** The body of the request. */
  body: ObjectSchema;
  /** Of the body; null if there is none. By default it is that of the schema, with this type. */
  example?: object | null;
}

/** Of their own, as generators would overwrite the operations of another tag with them. */
export const WEBHOOK_TAG = 'Webhook requests';

const HEADERS = {
  'webhook-id': 'The id of the event, the same in every attempt to deliver it',
  'webhook-timestamp': 'When it was sent, in seconds since 1970',
  'webhook-signature': 'The signatures of id, timestamp and body (Standard Webhooks)',
};

/** Returns what OpenAPI 3.1 says of the requests that receivers get. */
export function webhooksOf(
  webhooks: readonly WebhookSpec[],
  registry: ComponentRegistry,
): Record<string, unknown> {
  return Object.fromEntries(
    webhooks.map((webhook) => [webhook.name, { post: operationOf(webhook, registry) }]),
  );
}

function operationOf({ name, summary, body, example: own }: WebhookSpec, { refer }: ComponentRegistry) {
  const usual = exampleOf(body) as object | undefined;
  const example = own === undefined ? usual && { ...usual, type: name, types: [name] } : own;
  return {
    operationId: `on_${name.replaceAll('.', '_')}`,
    summary,
    tags: [WEBHOOK_TAG],
    parameters: Object.entries(HEADERS).map(([header, description]) => {
      return { name: header, in: 'header', required: true, description, schema: { type: 'string' } };
    }),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: refer(componentNameOf(body) ?? pascal(name), jsonSchemaOf(body)),
          ...(example && { example }),
        },
      },
    },
    responses: { '2XX': { description: 'The event has arrived' } },
  };
}
