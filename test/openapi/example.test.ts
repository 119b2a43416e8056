import Joi from 'joi';
import { route } from '../../src/http/route';
import { buildDocument } from '../../src/openapi/document';
import { exampleOf } from '../../src/openapi/example';
import { Role } from '../../src/role/role';

describe('exampleOf', () => {
  it.each([
    [
      'its own example',
      Joi.object({ a: Joi.string().example('part') }).example({ a: 'whole' }),
      { a: 'whole' },
    ],
    ['the examples of its parts', Joi.object({ a: Joi.string().example('x'), b: Joi.number() }), { a: 'x' }],
    ['the examples of its items', Joi.array().items(Joi.object({ n: Joi.number().example(2) })), [{ n: 2 }]],
    [
      'nothing if a required part has no example',
      Joi.object({ a: Joi.string().example('x'), b: Joi.number().required() }),
      undefined,
    ],
    ['nothing if its items have no example', Joi.array().items(Joi.string()), undefined],
    ['nothing for an array without items', Joi.array(), undefined],
    ['nothing for an object without keys', Joi.object(), undefined],
  ])('returns %s', (_what, schema, expected) => {
    expect(exampleOf(schema)).toEqual(expected);
  });
});

it('the document contains a route with minimal declarations', () => {
  const minimal = route({
    method: 'post',
    path: '/minimal',
    role: Role.CUSTOMER,
    operationId: 'minimal',
    summary: 'Minimal',
    tag: 'Test',
    query: Joi.object(),
    body: Joi.object({ note: Joi.string() }),
    responses: { 204: { description: 'Done' } },
    errors: [],
    handler: () => undefined,
  });
  const { paths, components } = buildDocument([minimal], { prefix: '', env: 'test' });
  expect(components.schemas.MinimalRequest).toMatchObject({ type: 'object' });
  expect(paths['/minimal']?.post).toMatchObject({
    parameters: [],
    requestBody: {
      required: false,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/MinimalRequest' } } },
    },
    responses: { '204': { description: 'Done' } },
  });
});
