import pino from 'pino';
import type { Config } from '../../src/config';
import { createHealth } from '../../src/health/health';
import { createJwt } from '../../src/jwt/jwt';
import { METADATA_KEY, type OrderLine } from '../../src/domain/order';
import { PROBLEMS } from '../../src/errors/problems';
import { priceLines } from '../../src/domain/pricing';
import { buildDocument } from '../../src/openapi/document';
import { EVENT_TYPES } from '../../src/domain/events';
import { EVENT_WEBHOOKS } from '../../src/events/event-webhooks';
import { exampleOf } from '../../src/openapi/example';
import type { JsonSchema } from '../../src/openapi/json-schema';
import { DEMO_CATALOGUE } from '../../src/seed/catalogue';
import { PING_WEBHOOK } from '../../src/webhooks/webhooks.schema';
import { DEMO_USERS } from '../../src/users/demo-users';
import { createRoutes } from '../../src/api-routes';
import { createTemporalClient } from '../../src/temporal/client';
import { openTestApi, type TestApi } from '../support/api';
import packageJson from '../../package.json';

let api: TestApi;
let temporal: ReturnType<typeof createTemporalClient>;
let routes: ReturnType<typeof createRoutes>;
beforeAll(async () => {
  api = await openTestApi();
  temporal = createTemporalClient(api.config.temporal, {});
  const health = createHealth({}, pino({ level: 'silent' }));
  routes = createRoutes({
    config: api.config,
    mongodb: api.db.mongodb,
    temporal,
    health,
    jwt: createJwt(api.config.jwt),
    revokedTokens: { has: () => false },
    dataKeys: undefined as never,
    report: () => undefined,
    declines: { requireBelow: async () => undefined, track: (_payer, _key, send) => send() },
    admission: undefined as never,
    outbox: { post: () => undefined },
    logger: pino({ level: 'silent' }),
    draining: new AbortController().signal,
  });
});
afterAll(async () => {
  await temporal.close();
  await api.close();
});

interface WebhookOperation {
  requestBody: { content: { 'application/json': { schema: { $ref: string }; example?: object } } };
}

type Operation = {
  operationId: string;
  tags: string[];
  security: object[];
  parameters: { name: string; in: string; required: boolean; example?: unknown }[];
  responses: Record<string, { content?: { 'application/json': { example?: unknown } } }>;
};

describe('the OpenAPI document', () => {
  const documentOf = (env: Config['env'] = 'test') => buildDocument(routes, { prefix: '/prefix', env });
  const operations = () =>
    Object.values(documentOf().paths).flatMap((methods) => Object.values(methods) as Operation[]);

  it('contains every route once', () => {
    const found = Object.entries(documentOf().paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(found.sort()).toEqual(
      routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`).sort(),
    );
    const ids = operations().map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has the version of the package, and mentions the demo accounts except in production', () => {
    expect(documentOf().info.version).toBe(packageJson.version);
    expect(documentOf('development').info.description).toContain('admin@example.com');
    expect(documentOf('production').info.description).not.toMatch(/demo|example\.com/);
  });

  it('starts with the most used tags', () => {
    const tags = [
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
    expect(documentOf().tags.map(({ name }) => name)).toEqual(tags);
    expect([...new Set(operations().flatMap((operation) => operation.tags))]).toEqual(tags);
  });

  it('resolves all references', () => {
    const document = documentOf();
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) =>
      path!.split('/'),
    );
    expect(references.length).toBeGreaterThan(20);
    for (const path of references) {
      expect(
        path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document),
      ).toBeDefined();
    }
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  it('declares every parameter of a path', () => {
    for (const [path, methods] of Object.entries(documentOf().paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(methods) as Operation[]) {
        expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(
          names,
        );
      }
    }
  });

  it('requires the headers that the API requires', () => {
    const required = operations().flatMap(({ operationId, parameters }) =>
      parameters
        .filter((parameter) => parameter.in === 'header' && parameter.required)
        .map(({ name }) => [operationId, name]),
    );
    expect(required).toEqual([
      ['placeOrder', 'Idempotency-Key'],
      ['amendOrder', 'If-Match'],
      ['payOrder', 'Idempotency-Key'],
      ['fulfillOrder', 'Idempotency-Key'],
      ['refundOrder', 'Idempotency-Key'],
      ['changeProductService', 'If-Match'],
      ['adjustStock', 'Idempotency-Key'],
      ['countStock', 'If-Match'],
    ]);
  });

  /** What a guest may do with an order. */
  const isGuests = ({ operationId }: { operationId: string }) =>
    ['getOrder', 'listOrderEvents', 'payOrder', 'confirmPayment', 'cancelOrder'].includes(operationId);

  it('requires a token for the routes that the guard protects', () => {
    for (const operation of operations()) {
      const { role, optionalSignIn = false } = routes.find(
        ({ operationId }) => operationId === operation.operationId,
      )!;
      const others = [
        operation.operationId === 'decodePayloads' && 'codecCookie',
        isGuests(operation) && 'orderToken',
      ];
      const schemes = ['bearerAuth', ...others.filter((scheme) => scheme !== false)];
      const none = optionalSignIn ? [{}, { bearerAuth: [] }] : [];
      expect(operation.security).toEqual(
        role === 'PUBLIC' ? none : schemes.map((scheme) => ({ [scheme]: [] })),
      );
      const checksCredentials =
        optionalSignIn || ['login', 'showCode', 'refresh'].includes(operation.operationId);
      expect('401' in operation.responses).toBe(role !== 'PUBLIC' || checksCredentials);
    }
  });

  it('lists all problem codes', () => {
    expect(documentOf().components.schemas.ErrorCode).toEqual({
      type: 'string',
      enum: Object.keys(PROBLEMS),
    });
  });

  it('names the shared schemas, and allows null in a nullable enum', () => {
    const { schemas } = documentOf().components;
    expect(Object.keys(schemas)).toEqual(
      expect.arrayContaining(['ProductService', 'Session', 'Order', 'Problem', 'Readiness']),
    );
    expect(schemas.OrderItem).toMatchObject({
      properties: { kind: { anyOf: [{ $ref: '#/components/schemas/ProductKind' }, { type: 'null' }] } },
    });
  });

  it('has valid examples of all inputs', () => {
    const bodies = routes.filter(({ body }) => body !== undefined);
    expect(bodies.length).toBeGreaterThan(4);
    for (const { body, operationId } of bodies) {
      const example = exampleOf(body!);
      expect([operationId, example]).not.toEqual([operationId, undefined]);
      expect([operationId, body!.validate(example, { convert: false }).error]).toEqual([
        operationId,
        undefined,
      ]);
    }
    for (const route of routes) {
      for (const schema of [route.params, route.query, route.headers]) {
        if (schema)
          expect(schema.validate(exampleOf(schema) ?? {}).error?.details[0]?.type).not.toBe('any.only');
      }
    }
  });

  it('has a valid example of every response', () => {
    const responses = routes.flatMap(({ operationId, responses }) =>
      Object.values(responses).flatMap(({ data }) => (data ? [{ operationId, data }] : [])),
    );
    expect(responses.length).toBeGreaterThan(8);
    for (const { operationId, data } of responses) {
      const example = exampleOf(data);
      const { error } = data.required().validate(example, { convert: false });
      expect([operationId, error]).toEqual([operationId, undefined]);
    }
  });

  it('says how lists and maps are written in a query, and that an export is CSV', () => {
    const find = (id: string) => operations().find(({ operationId }) => operationId === id)!;
    const parameters = new Map(find('listOrders').parameters.map((one) => [one.name, one]));
    expect(parameters.get('status')).toMatchObject({
      style: 'form',
      explode: false,
      schema: { type: 'array', items: { $ref: '#/components/schemas/OrderStatus' } },
    });
    expect(parameters.get('metadata')).toMatchObject({
      style: 'deepObject',
      explode: true,
      schema: {
        maxProperties: 20,
        propertyNames: { pattern: METADATA_KEY.source },
        additionalProperties: { type: 'string', maxLength: 500 },
      },
    });
    expect(Object.keys(find('exportOrders').responses['200']!.content!)).toEqual(['text/csv']);
  });

  it('lists every type of event as a webhook, with the event as its body', () => {
    const { webhooks, components } = buildDocument(routes, {
      prefix: '',
      env: 'test',
      webhooks: [...EVENT_WEBHOOKS, PING_WEBHOOK],
    });
    expect(Object.keys(webhooks)).toEqual([...EVENT_TYPES, 'webhook.ping']);
    for (const [type, { post }] of Object.entries(webhooks as Record<string, { post: WebhookOperation }>)) {
      const { schema, example } = post.requestBody.content['application/json'];
      expect(components.schemas).toHaveProperty([schema.$ref.split('/').at(-1)!]);
      if (example) expect((example as { types: string[] }).types).toContain(type);
    }
    const { post } = webhooks['order.confirmed'] as { post: WebhookOperation };
    expect(post.requestBody.content['application/json']).toMatchObject({
      schema: { $ref: '#/components/schemas/OrderEvent' },
      example: { data: { status: 'confirmed' } },
    });
  });

  it('wraps the example of a response in the envelope, and that of a list in a page', () => {
    const responseExampleOf = (id: string) => {
      const { responses } = operations().find(({ operationId }) => operationId === id)!;
      return responses['200']!.content!['application/json'].example;
    };
    const requestId = expect.any(String) as string;
    const order = expect.objectContaining({ status: 'confirmed', total: 4_758 }) as object;
    const { OrderConfirmed } = documentOf().components.examples;
    expect(OrderConfirmed).toEqual({ value: { data: order, meta: { requestId } } });
    expect(responseExampleOf('listOrders')).toEqual({
      data: [order],
      meta: { requestId, page: { limit: 20, nextCursor: null } },
    });
  });

  it('has an example of an order that results from its example of a request and the demo data', () => {
    const { body, responses } = routes.find(({ operationId }) => operationId === 'placeOrder')!;
    const { params } = routes.find(({ operationId }) => operationId === 'getOrder')!;
    const request = exampleOf(body!) as { items: OrderLine[]; note: string };
    const catalogue = DEMO_CATALOGUE.map(({ _id: id, taxRateBps = 0, ...entry }) => {
      return { priceIncludesTax: false, ...entry, id, taxRateBps, kind: 'product' as const };
    });
    const { items, ...totals } = priceLines(request.items, catalogue);
    expect(exampleOf(responses[201]!.data!)).toMatchObject({
      ...(exampleOf(params!) as { id: string }),
      ...totals,
      items,
      note: request.note,
      customerId: DEMO_USERS[1]!._id,
    });
  });
});

/** What generators of clients make a bad client of, or none. */
describe('the OpenAPI document as input of generators', () => {
  const webhooks = [...EVENT_WEBHOOKS, PING_WEBHOOK];
  const documentOf = () => buildDocument(routes, { prefix: '', env: 'production', webhooks });
  type Place = { path: string; schema: JsonSchema };

  /** All schemas of the document, by the places where they are. */
  const schemasOf = (node: unknown, path = '', isSchema = false): Place[] => {
    if (typeof node !== 'object' || node === null) return [];
    const own = isSchema ? [{ path, schema: node as JsonSchema }] : [];
    const children = Object.entries(node).flatMap(([key, value]): Place[] => {
      if (/^(examples?|default|enum|x-constraints)$/.test(key) && !path.endsWith('/components')) return [];
      const isMap = isSchema && key === 'properties';
      const isPart = isSchema && /^(items|additionalProperties)$/.test(key);
      if (isMap || (!isSchema && key === 'schemas') || (isSchema && key === 'anyOf'))
        return Object.entries(value as object).flatMap(([name, part]) =>
          schemasOf(part, `${path}/${key}/${name}`, true),
        );
      if (isSchema && !isPart) return [];
      return schemasOf(value, `${path}/${key}`, isPart || key === 'schema');
    });
    return [...own, ...children];
  };
  const placesOf = (isBad: (schema: JsonSchema) => boolean) =>
    schemasOf(documentOf()).filter(({ schema }) => isBad(schema));
  const isComponent = (path: string) => /^\/components\/schemas\/\w+$/.test(path);
  const isOf = ({ type }: JsonSchema, name: string) => [type].flat().includes(name);

  it('has more than a few schemas', () => {
    expect(schemasOf(documentOf()).length).toBeGreaterThan(500);
  });

  it('gives all objects and sets of values names of their own', () => {
    const nameless = placesOf(
      ({ properties, enum: values = [] }) => properties !== undefined || (values as unknown[]).length > 1,
    );
    expect(nameless.map(({ path }) => path).filter((path) => !isComponent(path))).toEqual([]);
    const names = Object.keys(documentOf().components.schemas);
    expect(names.filter((name) => !/^[A-Z][A-Za-z]+$/.test(name) || name.includes('Inner'))).toEqual([]);
    expect(names).toEqual(
      expect.arrayContaining(['Order', 'OrderEnvelope', 'OrderPage', 'Address', 'ApiKeyScope', 'Problem']),
    );
  });

  it('has 64 bits for every integer that may need them', () => {
    const wide = placesOf(
      (schema) => isOf(schema, 'integer') && Number(schema.maximum ?? Infinity) >= 2 ** 31,
    );
    expect(wide.length).toBeGreaterThan(30);
    expect(wide.filter(({ schema }) => schema.format !== 'int64')).toEqual([]);
  });

  it('says of everything what type it is', () => {
    const kinds = ['type', '$ref', 'anyOf', 'enum'];
    expect(placesOf((schema) => !kinds.some((kind) => kind in schema))).toEqual([]);
  });

  it('has no keywords and no patterns that generators misread', () => {
    const misread = ['patternProperties', 'allOf', 'oneOf', 'not', 'if', 'title'];
    expect(placesOf((schema) => misread.some((keyword) => keyword in schema))).toEqual([]);
    expect(placesOf(({ pattern }) => /u2028|\u2028|\\p\{|\(\?[=!<]/i.test(String(pattern)))).toEqual([]);
  });

  it('has no names that those of generators would collide with', () => {
    const { components, paths, webhooks: sent } = documentOf();
    const names = Object.keys(components.schemas);
    // Go makes a function NewOrder for a type Order.
    expect(names.filter((name) => names.some((other) => name === `New${other}`))).toEqual([]);
    const tagsOf = (operations: object) =>
      Object.values(operations).flatMap((methods) =>
        (Object.values(methods as object) as Operation[]).flatMap(({ tags }) => tags),
      );
    const ofApi = tagsOf(paths);
    expect(tagsOf(sent).filter((tag) => ofApi.includes(tag))).toEqual([]);
    expect(documentOf().tags.map(({ name }) => name)).toEqual(
      expect.arrayContaining([...new Set([...ofApi, ...tagsOf(sent)])]),
    );
  });

  it('has no values of flags', () => {
    expect(placesOf((schema) => isOf(schema, 'boolean') && 'enum' in schema)).toEqual([]);
  });

  it('has each problem, header and example once', () => {
    const { components, paths } = documentOf();
    const problems = Object.values(paths).flatMap((methods) =>
      (Object.values(methods) as Operation[]).flatMap(({ responses }) =>
        Object.entries(responses).filter(([status]) => Number(status) >= 400),
      ),
    );
    expect(problems.length).toBeGreaterThan(300);
    for (const [, response] of problems)
      expect(response).toEqual({ $ref: expect.stringMatching(/^#\/components\/responses\/\w+$/) as string });
    expect(Object.keys(components.responses).length).toBeLessThan(40);
    expect(components.headers).toHaveProperty('Retry-After');
    expect(JSON.stringify(components.responses)).not.toContain('"value"');
  });

  it('names its licence, says what its tags are, and offers the access token first', () => {
    const { info, tags, components } = documentOf();
    expect(info.license).toEqual({ name: 'MIT', identifier: packageJson.license });
    for (const tag of tags) expect(tag.description).toMatch(/\w/);
    expect(Object.keys(components.securitySchemes)[0]).toBe('bearerAuth');
  });

  it('tells of the headers that count requests wherever they are sent', () => {
    const { paths } = documentOf();
    const headersOf = (path: string, method: string, status: string) =>
      Object.keys(
        (paths[path]![method] as { responses: Record<string, { headers: object }> }).responses[status]!
          .headers,
      );
    const counted = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'];
    expect(headersOf('/orders', 'post', '201')).toEqual(expect.arrayContaining(counted));
    expect(headersOf('/health', 'get', '200')).not.toEqual(expect.arrayContaining(counted));
  });

  it('has an example of every parameter that is required, and of every body', () => {
    const operations = Object.values(documentOf().paths).flatMap(
      (methods) => Object.values(methods) as Operation[],
    );
    const missing = operations.flatMap(({ operationId, parameters }) =>
      parameters
        .filter(({ required, example }) => required && example === undefined)
        .map(({ name }) => `${operationId} ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('the documentation pages', () => {
  it.each(['/api', '/api/'])(
    '%s is Swagger UI without inline scripts and with absolute links',
    async (path) => {
      const { text, headers } = await api.call('get', path).expect(200);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(text).not.toMatch(/<script>|onload=|https?:\/\//);
      const links = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link!);
      expect(links).toHaveLength(4);
      for (const link of links) {
        expect(link.startsWith('/orders-management-system/api/assets/')).toBe(true);
        await api.call('get', link.slice('/orders-management-system'.length)).expect(200);
      }
    },
  );

  it('/api/openapi.json is the document, also for HEAD', async () => {
    const { body, headers } = await api.call('get', '/api/openapi.json').expect(200);
    expect(body).toMatchObject({ openapi: '3.1.0', servers: [{ url: '/orders-management-system' }] });
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    await api.call('head', '/api/openapi.json').expect(200);
  });

  it.each([
    ['gzip, br', 'gzip', 300_000],
    ['br, zstd', undefined, 1_000_000],
    ['identity', undefined, 1_000_000],
  ])('compress no file for a request that accepts %s', async (accepted, encoding, bytes) => {
    const path = '/api/assets/swagger-ui-bundle.js';
    const { headers, text } = await api.call('get', path).set('Accept-Encoding', accepted).expect(200);
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers.vary).toContain('Accept-Encoding');
    // The length of what is compressed while it is sent is not known.
    expect(Number(headers['content-length'])).toBeGreaterThan(bytes);
    expect(text.length).toBeGreaterThan(1_000_000);
  });
});
