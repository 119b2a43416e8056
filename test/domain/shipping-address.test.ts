import { changedAddress } from '../../src/domain/shipping-address';
import { failing } from './fixtures';

const stored = {
  name: 'A',
  line1: '1 Road',
  line2: 'Flat 1',
  city: 'X',
  region: 'Kent',
  postalCode: '1',
  country: 'GB',
};
const required = { name: 'B', line1: '2 Road', city: 'Y', country: 'DE' };

it('all parts that an address needs are another address, of which nothing of the stored one is left', () => {
  expect(changedAddress(stored, required)).toEqual(required);
  expect(changedAddress(null, { ...required, line2: null, region: 'Bern' })).toEqual({
    ...required,
    region: 'Bern',
  });
});

it.each(['name', 'line1', 'city', 'country'] as const)(
  'without %s it is a change of the stored one',
  (part) => {
    const { [part]: _, ...rest } = required;
    expect(changedAddress(stored, rest)).toEqual({ ...stored, ...rest });
    const error = failing('InvalidTransition', /no shipping address .* name, line1, city and country\.$/);
    expect(() => changedAddress(null, rest)).toThrow(error);
  },
);

it.each(['line2', 'region', 'postalCode'] as const)('null removes its %s', (part) => {
  const { [part]: _, ...rest } = stored;
  expect(changedAddress(stored, { [part]: null })).toEqual(rest);
});
