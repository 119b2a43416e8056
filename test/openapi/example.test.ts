import Joi from 'joi';
import { route } from '../../src/http/route';
import { buildDocument } from '../../src/openapi/document';
import { exampleOf } from '../../src/openapi/example';
import { Role } from '../../src/role/role';

describe('exampleOf', () => {
  it.each([
    ['its own', Joi.object({ a: Joi.string().example('part') }).example({ a: 'whole' }), { a: 'whole' }],
    ['its parts', Joi.object({ a: Joi.string().example('x'), b: Joi.number() }), { a: 'x' }],
    ['its items', Joi.array().items(Joi.object({ n: Joi.number().example(2) })), [{ n: 2 }]],
    [
      'nothing, when a required part has none',
      Joi.object({ a: Joi.string().example('x'), b: Joi.number().required() }),
      undefined,
    ],
    ['nothing, when items have none', Joi.array().items(Joi.string()), undefined],
    ['nothing, for any array', Joi.array(), undefined],
    ['nothing, for any object', Joi.object(), undefined],
  ])('is made of %s', (_what, schema, expected) => {
    expect(exampleOf(schema)).toEqual(expected);
  });
});

it('a route with the least of everything has a place in the document', () => {
  const least = route({
    method: 'post',
    path: '/least',
    role: Role.CUSTOMER,
    operationId: 'least',
    summary: 'Least',
    tag: 'Test',
    query: Joi.object(),
    body: Joi.object({ note: Joi.string() }),
    responses: { 204: { description: 'Done' } },
    errors: [],
    handler: () => undefined,
  });
  expect(buildDocument([least], { prefix: '', env: 'test' }).paths['/least']?.post).toMatchObject({
    parameters: [],
    requestBody: { required: false, content: { 'application/json': { schema: { type: 'object' } } } },
    responses: { '204': { description: 'Done' } },
  });
});
