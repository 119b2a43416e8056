import { join } from 'node:path';
import { createConnection } from 'mongoose';
import pino from 'pino';
import { createRoutes } from '../src/api-routes';
import { loadConfig } from '../src/config';
import { EVENT_WEBHOOKS } from '../src/events/event-webhooks';
import { createHealth } from '../src/health/health';
import { createJwt } from '../src/jwt/jwt';
import { buildDocument, type OpenApiDocument } from '../src/openapi/document';
import { PING_WEBHOOK } from '../src/webhooks/webhooks.schema';
import { PROJECT_ROOT } from './project';

/** The document as it was when a change of it was last accepted. */
export const OPENAPI_FILE = join(PROJECT_ROOT, 'docs', 'openapi.json');

/** Of servers that are not there, since nothing connects to them. */
const ENV = {
  NODE_ENV: 'development',
  JWT_SECRET: 'f'.repeat(64),
  MONGODB_URI: 'mongodb://127.0.0.1:1/none',
  TEMPORAL_ADDRESS: '127.0.0.1:1',
};

/** Returns the OpenAPI document of the API, without any server: for generators of clients. */
function openApiDocument(): OpenApiDocument {
  const config = loadConfig('api', ENV);
  const webhooks = [...EVENT_WEBHOOKS, PING_WEBHOOK];
  const logger = pino({ level: 'silent' });
  const connection = createConnection();
  connection.set('autoIndex', false);
  connection.set('autoCreate', false);
  const routes = createRoutes({
    config,
    mongodb: { connection, connected: () => false } as never,
    temporal: {} as never,
    health: createHealth({}, logger),
    jwt: createJwt(config.jwt),
    revokedTokens: { has: () => false },
    declines: { requireBelow: async () => undefined, track: (_payer, _key, send) => send() },
    admission: undefined as never,
    outbox: { post: () => undefined },
    dataKeys: undefined as never,
    report: () => undefined,
    logger,
    draining: new AbortController().signal,
  });
  return buildDocument(routes, { prefix: config.http.prefix, env: config.env, webhooks });
}

/** Returns the document as docs/openapi.json has it. */
export function printedOpenApi(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}
