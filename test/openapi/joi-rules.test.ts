import Joi from 'joi';
import { anyText, multiLine, optionalLine, removableLine, singleLine } from '../../src/common/text';
import { TEXT_PATTERNS } from '../../src/common/text-patterns';
import { jsonSchemaOf } from '../../src/openapi/json-schema';
import { createBody } from '../../src/product-service/product-service.schema';
import { stockAdjustmentBody } from '../../src/product-service/stock-adjustments.schema';

const propertiesOf = (schema: Joi.Schema) =>
  jsonSchemaOf(schema).properties as Record<string, Record<string, unknown>>;

describe('the JSON Schema of a Joi schema', () => {
  it('forbids or requires a key depending on the value of another', () => {
    const service = { if: { properties: { kind: { enum: ['service'] } }, required: ['kind'] } };
    expect(jsonSchemaOf(createBody).allOf).toEqual([{ ...service, then: { properties: { stock: false } } }]);
    expect(propertiesOf(createBody).stock).toMatchObject({ type: 'integer', minimum: 0 });

    const requiring = Joi.object({
      kind: Joi.string(),
      size: Joi.number().when('kind', { is: 'service', then: Joi.required() }),
    });
    expect(jsonSchemaOf(requiring).allOf).toEqual([{ ...service, then: { required: ['size'] } }]);
  });

  it('allows one of two keys that exclude each other, and knows no forbidden key', () => {
    const schema = Joi.object({ a: Joi.string(), b: Joi.string(), c: Joi.forbidden() }).oxor('a', 'b');
    expect(jsonSchemaOf(schema)).toMatchObject({ not: { required: ['a', 'b'] } });
    expect(Object.keys(propertiesOf(schema))).toEqual(['a', 'b']);
    const inexpressible = Joi.object({ a: Joi.string(), b: Joi.string() }).and('a', 'b');
    expect(() => jsonSchemaOf(inexpressible)).toThrow(/depend on each other/);
  });

  it('throws for a condition that it cannot express', () => {
    const inexpressible = [
      Joi.when('kind', { is: 'a', then: Joi.number().min(5) }),
      Joi.when('kind', { is: Joi.string().min(3), then: Joi.forbidden() }),
      Joi.number().when(Joi.number().min(5), { then: Joi.forbidden() }),
      Joi.when('kind.of', { is: 'a', then: Joi.forbidden() }),
    ];
    for (const size of inexpressible) {
      expect(() => jsonSchemaOf(Joi.object({ kind: Joi.string(), size }))).toThrow(/condition on size/);
    }
  });

  it('knows objects without keys, alternatives and keys that match a pattern', () => {
    expect(jsonSchemaOf(Joi.object({}))).toMatchObject({ type: 'object' });
    const map = Joi.object().pattern(/^[a-z]+$/, Joi.number().integer());
    expect(Object.values(jsonSchemaOf(map).patternProperties as object)).toMatchObject([
      { maximum: Number.MAX_SAFE_INTEGER },
    ]);
    const either = Joi.alternatives(Joi.string().invalid('x'), Joi.number().integer());
    expect(jsonSchemaOf(either).anyOf).toMatchObject([
      { not: { enum: ['x'] } },
      { maximum: Number.MAX_SAFE_INTEGER },
    ]);
  });

  it('excludes invalid values and limits integers to the safe range', () => {
    expect(propertiesOf(stockAdjustmentBody).delta).toMatchObject({ not: { enum: [0] } });
    const schema = Joi.object({ list: Joi.array().items(Joi.object({ n: Joi.number().integer().min(1) })) });
    expect(propertiesOf(schema).list!.items).toMatchObject({
      properties: { n: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } },
    });
    expect(jsonSchemaOf(Joi.number())).not.toHaveProperty('maximum');
  });

  it('limits the length of texts that a custom rule counts', () => {
    expect(jsonSchemaOf(anyText(7))).toMatchObject({ type: 'string', minLength: 1, maxLength: 7 });
    expect(jsonSchemaOf(anyText(7, 3))).toMatchObject({ minLength: 3 });
    expect(jsonSchemaOf(multiLine(7))).toMatchObject({ minLength: 0, maxLength: 7 });
    expect(propertiesOf(Joi.object({ name: singleLine(7) })).name).toMatchObject({ maxLength: 7 });
  });

  it('has patterns with the same meaning in every dialect of regular expressions', () => {
    expect(jsonSchemaOf(optionalLine(7))).toMatchObject({ format: 'optional-line' });
    for (const pattern of Object.values(TEXT_PATTERNS)) {
      expect(pattern).not.toMatch(/\\[psSdDwWbB]|\\u\{/);
    }
  });

  it('lets a text that may be left out be null or empty', () => {
    for (const schema of [optionalLine(7), removableLine(7)]) {
      expect(jsonSchemaOf(schema)).toMatchObject({ type: ['string', 'null'], minLength: 0, maxLength: 7 });
    }
  });
});
