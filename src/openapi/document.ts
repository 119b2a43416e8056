import type { Schema } from 'joi';
import type { Route } from '../common/route';
import { Role } from '../role/role';
import { COMMON_SCHEMAS } from './components';
import { exampleOf } from './example';
import { componentNameOf, jsonSchemaOf, type JsonSchema } from './json-schema';
import { parametersOf } from './parameters';
import { responsesOf } from './responses';

const INFO = {
  title: 'Order Management System',
  version: '1.0.0',
  description:
    'Place orders and follow them. Sign in with `POST /auth/login` (its example is a demo user) and put the ' +
    '`accessToken` into **Authorize**; `admin@example.com` with the same password may do everything.',
};

export interface OpenApiDocument {
  openapi: string;
  info: typeof INFO;
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, unknown>>;
  components: {
    schemas: Record<string, JsonSchema>;
    [kind: string]: Record<string, unknown>;
  };
}

/** The OpenAPI 3.1 document of the routes, from the same declarations that guard and validate. */
export function buildDocument(routes: Route[], prefix: string): OpenApiDocument {
  const schemas: Record<string, JsonSchema> = { ...COMMON_SCHEMAS };
  const refer = (schema: Schema): JsonSchema => {
    const name = componentNameOf(schema);
    if (!name) return jsonSchemaOf(schema);
    schemas[name] ??= jsonSchemaOf(schema);
    return { $ref: `#/components/schemas/${name}` };
  };
  return {
    openapi: '3.1.0',
    info: INFO,
    servers: [{ url: prefix }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: pathsOf(routes, refer),
    components: {
      schemas,
      headers: {
        'X-Request-Id': {
          description: "The caller's, when it is a sane one",
          schema: { type: 'string' },
        },
      },
      securitySchemes: {
        bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  };
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
    description: [route.description, needs(route.role)].filter(Boolean).join('\n\n'),
    tags: [route.tag],
    security: route.role === Role.PUBLIC ? [] : [{ bearerAuth: [] }],
    parameters: parametersOf(route),
    ...(route.body ? { requestBody: requestBodyOf(route.body, refer) } : {}),
    responses: responsesOf(route, refer),
  };
}

function needs(role: Role): string {
  return role === Role.PUBLIC ? 'Open to everybody.' : `Needs the role ${role}.`;
}

function requestBodyOf(body: Schema, refer: (schema: Schema) => JsonSchema): Record<string, unknown> {
  const example = exampleOf(body);
  const isRequired = body.validate({}).error !== undefined;
  const content = {
    schema: refer(body),
    ...(example === undefined ? {} : { example }),
  };
  return { required: isRequired, content: { 'application/json': content } };
}
