import { newCommand } from '../support/commands';
import { malformedField, SHAPES, type Shape } from '../../src/domain/command-shapes';

const keyed = { ...newCommand(), fingerprint: 'f', attemptId: 'a' };
const items = [{ productServiceId: 'ps_1', quantity: 2 }];
const shippingAddress = {
  name: 'Ada Lovelace',
  line1: '12 St James Square',
  city: 'London',
  postalCode: 'SW1Y 4JH',
  country: 'GB',
};

/** A command of each type with all its fields. */
const WELL_FORMED: { [K in keyof typeof SHAPES]: Record<string, unknown> } = {
  amend: {
    ...newCommand(),
    ifMatch: [3],
    items,
    note: 'Ring twice',
    shippingAddress,
    externalRef: 'PO-1',
    metadata: { channel: 'web' },
    expectedTotal: 2_000,
  },
  cancel: { ...newCommand(), reason: 'Changed my mind', items, unlessBegun: true },
  fulfill: { ...keyed, items, carrier: 'DHL', trackingNumber: '00340' },
  deliver: { ...newCommand(), fulfillmentId: 'ful_1' },
  undoFulfillment: { ...newCommand(), fulfillmentId: 'ful_1', reason: 'Lost', restock: false },
  correctFulfillment: { ...newCommand(), fulfillmentId: 'ful_1', carrier: 'DHL', trackingNumber: '00340' },
  refund: { ...keyed, amount: 100, items: [{ ...items[0], restock: true }], reason: 'Broken' },
  pay: { ...keyed, paymentMethod: 'pm_card_visa' },
  checkPayment: { ...newCommand(), paymentKey: 'ord_1-1', passed: '2026-01-01T00:00:00.000Z' },
  archive: newCommand(),
  retryCompensation: { ...newCommand(), step: 'voidPayment-1' },
  resolveCompensation: { ...newCommand(), step: 'voidPayment-1', note: 'Paid back by hand' },
};

const types = Object.keys(SHAPES) as (keyof typeof SHAPES)[];
const malformed = (type: keyof typeof SHAPES, command: unknown) =>
  malformedField(SHAPES[type] as Shape<object>, command);
const fieldsOf = types.flatMap((type) => Object.keys(WELL_FORMED[type]).map((field) => ({ type, field })));

it.each(types)('a well-formed command of the type %s has no malformed field', (type) => {
  expect(malformed(type, WELL_FORMED[type])).toBeNull();
});

it.each(types)(
  'an unknown field of a command of the type %s is ignored, as a newer API may send it',
  (type) => {
    expect(malformed(type, { ...WELL_FORMED[type], novelty: '1' })).toBeNull();
  },
);

it('an address of a command may be a part of one, and remove parts that are not required', () => {
  const amend = (change: object) => malformed('amend', { ...WELL_FORMED.amend, shippingAddress: change });
  expect(amend({ postalCode: '1', line2: null, region: null })).toBeNull();
  for (const part of ['name', 'line1', 'city', 'country'])
    expect(amend({ [part]: null })).toBe('shippingAddress');
});

it('an unknown field of an address is malformed, since the address is stored as it is', () => {
  const command = { ...WELL_FORMED.amend, shippingAddress: { ...shippingAddress, $where: '1' } };
  expect(malformed('amend', command)).toBe('shippingAddress');
});

it.each(fieldsOf)('$field of $type is malformed if it is of another type', ({ type, field }) => {
  const isFlag = typeof WELL_FORMED[type][field] === 'boolean';
  for (const value of [
    -1,
    1.5,
    Number.NaN,
    ...(isFlag ? [] : [true]),
    { $gt: '' },
    'x'.repeat(501),
    [items],
  ]) {
    expect([value, malformed(type, { ...WELL_FORMED[type], [field]: value })]).toEqual([value, field]);
  }
});

/** Those that any command may have. */
const ALWAYS_OPTIONAL = ['ifMatch', 'fingerprint', 'attemptId'];
const KEYED = ['fulfill', 'refund', 'pay'];
const OPTIONAL: Record<string, string[]> = {
  amend: ['items', 'note', 'shippingAddress', 'externalRef', 'metadata', 'expectedTotal'],
  cancel: ['items', 'unlessBegun'],
  correctFulfillment: ['carrier', 'trackingNumber'],
  refund: ['items'],
  checkPayment: ['passed'],
};
it.each(fieldsOf)('$field of $type may be left out only if it is optional', ({ type, field }) => {
  const { [field]: _, ...command } = WELL_FORMED[type];
  const isOptional =
    OPTIONAL[type]?.includes(field) ||
    (ALWAYS_OPTIONAL.includes(field) && (field === 'ifMatch' || !KEYED.includes(type)));
  expect(malformed(type, command)).toBe(isOptional ? null : field);
});

it.each([null, undefined, 'x', 1, [], [newCommand()]])('%j is no command', (value) => {
  expect(malformed('archive', value)).toBe('(the argument)');
});

describe('the lines of a command', () => {
  const amend = (lines: unknown) => malformed('amend', { ...WELL_FORMED.amend, items: lines });

  it.each([
    ['none', []],
    ['more than 100', Array.from({ length: 101 }, () => items[0])],
    ['no quantity', [{ productServiceId: 'ps_1' }]],
    ['a quantity of 0', [{ productServiceId: 'ps_1', quantity: 0 }]],
    ['half a unit', [{ productServiceId: 'ps_1', quantity: 0.5 }]],
    ['a price', [{ productServiceId: 'ps_1', quantity: 1, unitPrice: 1 }]],
  ])('are malformed with %s', (_, lines) => expect(amend(lines)).toBe('items'));

  it('may be 100', () => expect(amend(Array.from({ length: 100 }, () => items[0]))).toBeNull());
});

it('a note may be null, empty, and 500 characters long', () => {
  for (const note of [null, '', 'x'.repeat(500)]) {
    expect(malformed('amend', { ...WELL_FORMED.amend, note })).toBeNull();
  }
});

describe('the metadata of a command', () => {
  const amend = (metadata: unknown) => malformed('amend', { ...WELL_FORMED.amend, metadata });
  const keys = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`key_${n}`, '']));

  it.each([
    ['a text', 'web'],
    ['more than 20 keys', keys(21)],
    ['a key that is a path', { 'a.b': 'x' }],
    ['a key that is an operator', { $where: 'x' }],
    ['a number', { channel: 1 }],
    ['an object in it', { channel: { $gt: '' } }],
    ['a value of 501 characters', { channel: 'x'.repeat(501) }],
  ])('is malformed with %s', (_, metadata) => expect(amend(metadata)).toBe('metadata'));

  it.each([
    ['null, which removes it', null],
    ['empty', {}],
    ['20 keys', keys(20)],
    ['a value of 500 code points', { channel: '\u{1f4e6}'.repeat(500) }],
  ])('may be %s', (_, metadata) => expect(amend(metadata)).toBeNull());
});

it.each<[string, keyof typeof SHAPES, string, number]>([
  ['a note', 'amend', 'note', 500],
  ['the reason of a cancellation', 'cancel', 'reason', 200],
  ['the reason of a refund', 'refund', 'reason', 200],
  ['the note of a resolution', 'resolveCompensation', 'note', 500],
])('%s is as long as it has code points, as for the API', (_, type, field, longest) => {
  const emoji = (count: number) => ({ ...WELL_FORMED[type], [field]: '\u{1f4e6}'.repeat(count) });
  expect(malformed(type, emoji(longest))).toBeNull();
  expect(malformed(type, emoji(longest + 1))).toBe(field);
});

it('an If-Match may name 1 000 versions', () => {
  const amend = (count: number) => ({
    ...WELL_FORMED.amend,
    ifMatch: Array.from({ length: count }, (_, n) => n),
  });
  expect(malformed('amend', amend(1_000))).toBeNull();
  expect(malformed('amend', amend(1_001))).toBe('ifMatch');
});
