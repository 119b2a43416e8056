import { blames, failuresOf, oneOf, pathOf, type Attack } from './attack';
import { closedObjectsOf, fieldsOf, replaced, valueAt, type Field } from './fields';
import type { Json } from './operations';
import { KEYS, QUERIES, excludesText, STRUCTURES, TEXTS, UNKNOWN_QUERIES } from './payloads';
import { openWholeApi, type WholeApi } from './whole-api';

type Target = WholeApi['operations'][number];

let api: WholeApi;
beforeAll(async () => {
  api = await openWholeApi();
});
afterEach(() => api.expectUnchanged());
afterAll(() => api.close());

const bodies = () => api.operations.filter(({ body }) => body !== undefined);
const short = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** Returns JSON with raw text at one place, which `JSON.stringify` cannot write. */
function withRaw(example: Json, path: string[], raw: string): string {
  const marker = 'the place of the payload';
  return JSON.stringify(replaced(example, path, marker)).replace(JSON.stringify(marker), () => raw);
}

describe('in otherwise valid requests of an ADMIN to all operations', () => {
  it('the test covers many operations, fields and payloads', () => {
    expect(api.operations.length).toBeGreaterThan(20);
    expect(bodies().flatMap(({ body }) => fieldsOf(body!)).length).toBeGreaterThan(60);
    expect(STRUCTURES.length).toBeGreaterThan(30);
    expect(TEXTS.length).toBeGreaterThan(30);
  });

  it('every field of a body rejects undeclared structures', async () => {
    const attacks = bodies().flatMap((target) =>
      fieldsOf(target.body!).flatMap(({ path }) =>
        STRUCTURES.map((raw): Attack => {
          const request = { body: withRaw(target.example!, path, raw) };
          return {
            target,
            what: `${path.join('.')} = ${short(raw)}`,
            request,
            objection: blames(path.join('.')),
          };
        }),
      ),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('every field of a body rejects texts that its schema excludes', async () => {
    const attacks = bodies().flatMap((target) =>
      fieldsOf(target.body!).flatMap(({ path, schema }) =>
        TEXTS.filter((text) => excludesText(schema, text)).map((text): Attack => {
          const request = { body: JSON.stringify(replaced(target.example!, path, text)) };
          return {
            target,
            what: `${path.join('.')} = ${short(text)}`,
            request,
            objection: blames(path.join('.')),
          };
        }),
      ),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('every object of a body rejects unknown keys', async () => {
    const attacks = bodies().flatMap((target) =>
      closedObjectsOf(target.body!).flatMap(({ path }) => KEYS.map((key) => keyAttack(target, path, key))),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('every body rejects __proto__ at any depth, even where unknown keys are allowed', async () => {
    const attacks = bodies().flatMap((target) =>
      ['{"__proto__":{}}', '{"a":[{"__proto__":1}]}', '{"\\u005f_proto__":null}'].map((raw): Attack => {
        const body = JSON.stringify(target.example).replace(/^\{/, `{"extra":${raw},`);
        return { target, what: `extra = ${raw}`, request: { body }, objection: oneOf(400) };
      }),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('every body rejects values other than an object', async () => {
    const wholes = [
      ...STRUCTURES.filter((raw) => raw.startsWith('[')),
      '"x"',
      '1',
      'null',
      'true',
      '{',
      '\0',
      'a=b',
    ];
    const attacks = bodies().flatMap((target) =>
      wholes.map((body): Attack => ({ target, what: short(body), request: { body }, objection: oneOf(400) })),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('every path parameter rejects or does not find malicious values', async () => {
    const attacks = api.operations.flatMap((target) =>
      target.parameters
        .filter((parameter) => parameter.in === 'path')
        .flatMap(({ name }) =>
          [...TEXTS, ...STRUCTURES].filter(isSegment).map((value): Attack => {
            const path = pathOf(target.path, target.parameters, { [name]: value });
            return {
              target,
              what: `${name} = ${short(value)}`,
              request: { path },
              objection: oneOf(400, 404),
            };
          }),
        ),
    );
    expect(attacks.length).toBeGreaterThan(200);
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('rejects a path with malformed percent-encoding', async () => {
    const broken = ['%', '%zz', '%c0%ae', '%ff', 'a%', '%u0041', '%e0%a4%a'];
    const attacks = api.operations
      .filter(({ path }) => path.includes('{'))
      .flatMap((target) =>
        broken.map((segment): Attack => {
          const path = target.path.replace(/\{\w+\}/g, segment);
          return { target, what: segment, request: { path }, objection: oneOf(400, 404) };
        }),
      );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('every query parameter rejects structures and repetition', async () => {
    const attacks = queryParameters().flatMap(({ target, name, schema }) =>
      QUERIES.map((queryOf) => queryOf(name))
        .filter((query) => schema.type !== 'object' || !query.startsWith(`${name}[0]=`)) // the entry of a map
        .map((query) => queryAttack(target, query, oneOf(400))),
    );
    expect(attacks.length).toBeGreaterThan(100);
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('every query parameter rejects texts that its schema excludes, and others have no effect', async () => {
    const attacks = queryParameters().flatMap(({ target, name, schema }) =>
      [...TEXTS, ...STRUCTURES].map((text) => {
        const query = `${name}=${encodeURIComponent(text)}`;
        return queryAttack(target, query, excludesText(schema, text) ? oneOf(400) : oneOf(200, 400));
      }),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('every operation but those of the codec rejects unknown query parameters', async () => {
    // The operations of Temporal's codec protocol ignore unknown parameters, because the protocol may be
    // extended.
    const own = api.operations.filter(({ path }) => !/\/codec\/(en|de)code$/.test(path));
    expect(own).toHaveLength(api.operations.length - 2);
    const attacks = own.flatMap((target) =>
      UNKNOWN_QUERIES.map((query) => queryAttack(target, query, oneOf(400))),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });
});

function keyAttack(target: Target, path: Field['path'], key: string): Attack {
  const object = JSON.stringify(valueAt(target.example!, path));
  const raw = object.replace(/^\{/, () => `{${JSON.stringify(key)}:{"$ne":null},`);
  const body = path.length === 0 ? raw : withRaw(target.example!, path, raw);
  return {
    target,
    what: `${path.join('.')} + ${key}`,
    request: { body },
    objection: blames([...path, key].join('.')),
  };
}

function queryParameters() {
  return api.operations.flatMap((target) =>
    target.parameters
      .filter((parameter) => parameter.in === 'query')
      .map(({ name, schema }) => ({ target, name, schema })),
  );
}

function queryAttack(target: Target, query: string, objection: Attack['objection']): Attack {
  const path = `${pathOf(target.path, target.parameters)}?${query}`;
  return { target, what: short(query), request: { path }, objection };
}

/** Tells whether a text is a segment of its own: empty ones and dots lead to another path. */
function isSegment(text: string): boolean {
  return text.trim() !== '' && !/^\.{1,2}$/.test(text);
}
