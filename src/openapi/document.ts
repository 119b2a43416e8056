import type { Schema } from 'joi';
import { cookieName } from '../temporal/codec-server/session';
import type { Route } from '../http/route';
import type { Config } from '../config';
import { Role } from '../role/role';
import { COMMON_SCHEMAS } from './components';
import { exampleOf } from './example';
import { componentNameOf, jsonSchemaOf, type JsonSchema } from './json-schema';
import { parametersOf } from './parameters';
import { responsesOf } from './responses';
import { VERSION } from './version';
import { webhooksOf, type WebhookSpec } from './webhooks';

const INTRODUCTION =
  'Place orders and follow them. Sign in with `POST /auth/login` and put the `accessToken` into **Authorize**. ' +
  "Texts are trimmed and kept in Unicode's normal form C, in which their lengths are counted; control characters, text " +
  'direction marks and other invisible characters that mean nothing where they stand are refused.';
const DEMO_ACCOUNTS =
  'The example of `login` signs in a demo user; `admin@example.com` has the same password and all permissions.';

/** The tags by how often readers need them. Any other tag comes after these. */
const TAGS = [
  'Orders',
  'Carts',
  'Catalogue',
  'Payments',
  'Events',
  'Webhooks',
  'Auth',
  'Users',
  'API keys',
  'Audit',
  'Health',
  'Temporal',
];

export interface DocumentOptions {
  /** The path prefix of the API. */
  prefix: string;
  /** The environment: outside production, the document mentions the demo accounts. */
  env: Config['env'];
  /** What receivers are told of. */
  webhooks?: readonly WebhookSpec[];
}

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, unknown>>;
  webhooks: Record<string, unknown>;
  components: { schemas: Record<string, JsonSchema>; [kind: string]: Record<string, unknown> };
}

/**
 * Builds the OpenAPI 3.1 document from the declarations that also guard the routes and validate their input.
 */
export function buildDocument(
  routes: Route[],
  { prefix, env, webhooks = [] }: DocumentOptions,
): OpenApiDocument {
  const sorted = [...routes].sort((a, b) => rankOf(a.tag) - rankOf(b.tag));
  const schemas: Record<string, JsonSchema> = { ...COMMON_SCHEMAS };
  const refer = (schema: Schema): JsonSchema => {
    const name = componentNameOf(schema);
    if (!name) return jsonSchemaOf(schema);
    schemas[name] ??= jsonSchemaOf(schema);
    return { $ref: `#/components/schemas/${name}` };
  };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Order Management System',
      version: VERSION,
      description: env === 'production' ? INTRODUCTION : `${INTRODUCTION} ${DEMO_ACCOUNTS}`,
    },
    servers: [{ url: prefix }],
    tags: [...new Set(sorted.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: pathsOf(sorted, refer),
    webhooks: webhooksOf(webhooks, refer),
    components: {
      schemas,
      headers: {
        'X-Request-Id': {
          description: 'The id of the request: the one that the caller sent, if it is valid',
          schema: { type: 'string' },
        },
      },
      securitySchemes: {
        bearerAuth: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token, or an API key (`oms_…`)',
        },
        orderToken: {
          type: 'apiKey',
          in: 'header',
          name: 'Order-Token',
          description:
            'What opens the order of a guest: the header of the response to `POST /carts/{id}/checkout`',
        },
        codecCookie: {
          type: 'apiKey',
          in: 'cookie',
          name: cookieName(env),
          description: 'Set by `POST /codec/session`, for pages of the Temporal UI',
        },
      },
    },
  };
}

function rankOf(tag: string): number {
  const index = TAGS.indexOf(tag);
  return index === -1 ? TAGS.length : index;
}

function pathsOf(routes: Route[], refer: (schema: Schema) => JsonSchema): OpenApiDocument['paths'] {
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route, refer) };
  }
  return paths;
}

function operationOf(route: Route, refer: (schema: Schema) => JsonSchema): Record<string, unknown> {
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: [route.description, accessOf(route)].filter(Boolean).join('\n\n'),
    tags: [route.tag],
    security: securityOf(route),
    parameters: parametersOf(route),
    ...(route.body ? { requestBody: requestBodyOf(route.body, refer) } : {}),
    responses: responsesOf(route, refer),
  };
}

function securityOf({ role, identify, optionalSignIn }: Route): Record<string, string[]>[] {
  const bearer = { bearerAuth: [] };
  if (role === Role.PUBLIC) return optionalSignIn ? [{}, bearer] : [];
  return identify ? [bearer, { [identify.scheme]: [] }] : [bearer];
}

function accessOf({ role, scope, optionalSignIn }: Route): string {
  if (role === Role.PUBLIC && optionalSignIn)
    return 'For guests and for users who are signed in; API keys are rejected.';
  if (role === Role.PUBLIC) return 'Public.';
  return `Needs the role ${role}${scope ? ` or an API key with the scope \`${scope}\`` : '; API keys are rejected'}.`;
}

function requestBodyOf(body: Schema, refer: (schema: Schema) => JsonSchema): Record<string, unknown> {
  const example = exampleOf(body);
  const isRequired = body.validate({}).error !== undefined;
  const content = { schema: refer(body), ...(example === undefined ? {} : { example }) };
  return { required: isRequired, content: { 'application/json': content } };
}
