import type { Schema } from 'joi';
import { cookieName } from '../temporal/codec-server/session';
import type { Route } from '../http/route';
import type { Config } from '../config';
import { Role } from '../role/role';
import { COMMON_SCHEMAS } from './common-schemas';
import { createComponents, type Components, type ComponentRegistry } from './components';
import { exampleOf } from './example';
import { componentNameOf, jsonSchemaOf } from './json-schema';
import { parametersOf } from './parameters';
import { pascal } from './portable-schema';
import { responsesOf } from './responses';
import { VERSION } from '../config/version';
import { WEBHOOK_TAG, webhooksOf, type WebhookSpec } from './webhooks';

const INTRODUCTION =
  'Place orders and follow them. Sign in with `POST /auth/login` and put the `accessToken` into **Authorize**. ' +
  "Texts are trimmed and kept in Unicode's normal form C, in which their lengths are counted; control characters, text " +
  'direction marks and other invisible characters that mean nothing where they stand are refused. A text of the format ' +
  '`single-line` has something visible and no line breaks; one of the format `optional-line` may also be blank, which means ' +
  'that there is none; one of the format `multi-line` may have line breaks and be empty. `x-constraints` has rules of JSON ' +
  'Schema between the fields of a request, which their descriptions tell in words.';
const DEMO_ACCOUNTS =
  'The example of `login` signs in a demo user; `admin@example.com` has the same password and all permissions.';

/** What the tags stand for, by how often readers need them. Any other tag comes after these. */
const TAGS: Readonly<Record<string, string>> = {
  Orders: 'Place orders, follow them, and change them: amend, cancel, fulfill, refund',
  Carts: 'What a customer is about to order, signed in or as a guest, and its checkout',
  Catalogue: 'The products and services that can be ordered, and their stock',
  Payments: 'The payments of the sandbox, and what the payment service reports',
  Events: 'What happened, in order and without gaps: a feed to read, and webhooks to be told',
  Webhooks: 'Where events are sent, and what came of it',
  Auth: 'Sign in, stay signed in, and sign out',
  Users: 'Accounts, their sessions, and what is kept of a person',
  'API keys': 'Keys by which programs may do a part of what ADMINs may',
  Audit: 'Who changed what, and when',
  Health: 'Whether the API runs and can serve requests',
  Temporal: 'Reading what Temporal keeps encrypted',
  [WEBHOOK_TAG]: 'What receivers of webhooks are sent',
};

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
  info: {
    title: string;
    version: string;
    description: string;
    license: { name: string; identifier: string };
  };
  servers: { url: string }[];
  tags: { name: string; description?: string }[];
  paths: Record<string, Record<string, unknown>>;
  webhooks: Record<string, unknown>;
  components: Components & { securitySchemes: Record<string, object> };
}

/**
 * Builds the OpenAPI 3.1 document from the declarations that also guard the routes and validate their input.
 */
export function buildDocument(
  routes: Route[],
  { prefix, env, webhooks = [] }: DocumentOptions,
): OpenApiDocument {
  const sorted = [...routes].sort((a, b) => rankOf(a.tag) - rankOf(b.tag));
  const registry = createComponents(COMMON_SCHEMAS);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Order Management System',
      version: VERSION,
      description: env === 'production' ? INTRODUCTION : `${INTRODUCTION} ${DEMO_ACCOUNTS}`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: prefix }],
    tags: [...new Set([...sorted.map(({ tag }) => tag), ...(webhooks.length > 0 ? [WEBHOOK_TAG] : [])])].map(
      (name) => ({
        name,
        ...(TAGS[name] !== undefined && { description: TAGS[name] }),
      }),
    ),
    paths: pathsOf(sorted, registry),
    webhooks: webhooksOf(webhooks, registry),
    components: {
      ...registry.components,
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
  const names = Object.keys(TAGS);
  const index = names.indexOf(tag);
  return index === -1 ? names.length : index;
}

function pathsOf(routes: Route[], registry: ComponentRegistry): OpenApiDocument['paths'] {
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route, registry) };
  }
  return paths;
}

function operationOf(route: Route, registry: ComponentRegistry): Record<string, unknown> {
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: [route.description, accessOf(route)].filter(Boolean).join('\n\n'),
    tags: [route.tag],
    security: securityOf(route),
    parameters: parametersOf(route, registry),
    ...(route.body ? { requestBody: requestBodyOf(route, route.body, registry) } : {}),
    responses: responsesOf(route, registry),
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

function requestBodyOf(
  { operationId }: Route,
  body: Schema,
  { refer }: ComponentRegistry,
): Record<string, unknown> {
  const example = exampleOf(body);
  const isRequired = body.validate({}).error !== undefined;
  const name = componentNameOf(body) ?? `${pascal(operationId)}Request`;
  const content = { schema: refer(name, jsonSchemaOf(body)), ...(example === undefined ? {} : { example }) };
  return { required: isRequired, content: { 'application/json': content } };
}
