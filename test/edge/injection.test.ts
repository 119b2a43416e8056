import { blames, failuresOf, oneOf, pathOf, type Attack } from './attack';
import { closedObjectsOf, fieldsOf, replaced, valueAt, type Field } from './fields';
import type { Json } from './operations';
import { KEYS, QUERIES, refusesText, STRUCTURES, TEXTS, UNKNOWN_QUERIES } from './payloads';
import { openWholeApi, type WholeApi } from './whole-api';

type Target = WholeApi['operations'][number];

let api: WholeApi;
let before: Record<string, unknown[]>;
beforeAll(async () => {
  api = await openWholeApi();
  before = await api.dump();
});
afterEach(async () => expect(await api.dump()).toEqual(before));
afterAll(() => api.close());

const bodies = () => api.operations.filter(({ body }) => body !== undefined);
const short = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** JSON that holds a raw text at one place: what `JSON.stringify` cannot write. */
function withRaw(example: Json, path: string[], raw: string): string {
  const marker = 'the place of the payload';
  return JSON.stringify(replaced(example, path, marker)).replace(JSON.stringify(marker), () => raw);
}

describe('of all operations, with all else valid and as ADMIN', () => {
  it('there are some, with fields and parameters', () => {
    expect(api.operations.length).toBeGreaterThan(20);
    expect(bodies().flatMap(({ body }) => fieldsOf(body!)).length).toBeGreaterThan(60);
    expect(STRUCTURES.length).toBeGreaterThan(30);
    expect(TEXTS.length).toBeGreaterThan(30);
  });

  it('no field of a body takes a structure that it does not declare', async () => {
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

  it('no field of a body takes a text that its schema refuses', async () => {
    const attacks = bodies().flatMap((target) =>
      fieldsOf(target.body!).flatMap(({ path, schema }) =>
        TEXTS.filter((text) => refusesText(schema, text)).map((text): Attack => {
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

  it('no object of a body takes another key', async () => {
    const attacks = bodies().flatMap((target) =>
      closedObjectsOf(target.body!).flatMap(({ path }) => KEYS.map((key) => keyAttack(target, path, key))),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('no body takes __proto__ at any depth, be other unknown keys welcome or not', async () => {
    const attacks = bodies().flatMap((target) =>
      ['{"__proto__":{}}', '{"a":[{"__proto__":1}]}', '{"\\u005f_proto__":null}'].map((raw): Attack => {
        const body = JSON.stringify(target.example).replace(/^\{/, `{"extra":${raw},`);
        return { target, what: `extra = ${raw}`, request: { body }, objection: oneOf(400) };
      }),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('a body that is no object is refused', async () => {
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

  it('no parameter of a path names anything but what it names', async () => {
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

  it('a path whose escapes are none is refused', async () => {
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

  it('no parameter of a query is a structure, or comes twice', async () => {
    const attacks = queryParameters().flatMap(({ target, name }) =>
      QUERIES.map((queryOf) => queryAttack(target, queryOf(name), oneOf(400))),
    );
    expect(attacks.length).toBeGreaterThan(100);
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('no parameter of a query takes a text that its schema refuses, nor acts on one that it takes', async () => {
    const attacks = queryParameters().flatMap(({ target, name, schema }) =>
      [...TEXTS, ...STRUCTURES].map((text) => {
        const query = `${name}=${encodeURIComponent(text)}`;
        return queryAttack(target, query, refusesText(schema, text) ? oneOf(400) : oneOf(200, 400));
      }),
    );
    expect(await failuresOf(attacks, api.tokens.ADMIN)).toEqual([]);
  });

  it('none takes an unknown parameter in its query', async () => {
    // Those of Temporal's protocol ignore what they do not know, since it may grow.
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

/** Empty ones, and those of dots, are another path. */
function isSegment(text: string): boolean {
  return text.trim() !== '' && !/^\.{1,2}$/.test(text);
}
