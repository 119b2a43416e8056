import pino from 'pino';
import type { Config } from '../../src/config';
import { createHealth } from '../../src/health/health';
import { createJwt } from '../../src/jwt/jwt';
import { METADATA_KEY, type OrderLine } from '../../src/domain/order';
import { PROBLEMS } from '../../src/errors/problems';
import { priceLines } from '../../src/domain/pricing';
import { buildDocument } from '../../src/openapi/document';
import { exampleOf } from '../../src/openapi/example';
import { DEMO_CATALOGUE } from '../../src/seed/catalogue';
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
    outbox: { post: () => undefined },
    logger: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  await temporal.close();
  await api.close();
});

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
      'Catalogue',
      'Payments',
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

  it('requires a token for the routes that the guard protects', () => {
    for (const operation of operations()) {
      const { role } = routes.find(({ operationId }) => operationId === operation.operationId)!;
      const schemes =
        operation.operationId === 'decodePayloads' ? ['bearerAuth', 'codecCookie'] : ['bearerAuth'];
      expect(operation.security).toEqual(
        role === 'PUBLIC' ? [] : schemes.map((scheme) => ({ [scheme]: [] })),
      );
      const checksCredentials = ['login', 'showCode', 'refresh'].includes(operation.operationId);
      expect('401' in operation.responses).toBe(role !== 'PUBLIC' || checksCredentials);
    }
  });

  it('lists all problem codes', () => {
    const problem = documentOf().components.schemas.Problem as { properties: { code: { enum: string[] } } };
    expect(problem.properties.code.enum).toEqual(Object.keys(PROBLEMS));
  });

  it('names the shared schemas, and allows null in a nullable enum', () => {
    const { schemas } = documentOf().components;
    expect(Object.keys(schemas)).toEqual(
      expect.arrayContaining(['ProductService', 'Session', 'Order', 'Problem', 'Readiness']),
    );
    expect(JSON.stringify(schemas.Order)).toContain('"enum":["product","service",null]');
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

  it('has a valid example of every response except those of the health routes', () => {
    const responses = routes
      .filter(({ tag }) => tag !== 'Health')
      .flatMap(({ operationId, responses }) =>
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
      schema: { type: 'array', items: { enum: expect.arrayContaining(['confirmed']) as string[] } },
    });
    expect(parameters.get('metadata')).toMatchObject({
      style: 'deepObject',
      explode: true,
      schema: {
        additionalProperties: false,
        maxProperties: 20,
        patternProperties: { [METADATA_KEY.source]: { type: 'string', maxLength: 500 } },
      },
    });
    expect(Object.keys(find('exportOrders').responses['200']!.content!)).toEqual(['text/csv']);
  });

  it('wraps the example of a response in the envelope, and that of a list in a page', () => {
    const responseExampleOf = (id: string) => {
      const { responses } = operations().find(({ operationId }) => operationId === id)!;
      return responses['200']!.content!['application/json'].example;
    };
    const requestId = expect.any(String) as string;
    const order = expect.objectContaining({ status: 'confirmed', total: 4_758 }) as object;
    expect(responseExampleOf('getOrder')).toEqual({ data: order, meta: { requestId } });
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
