import { changesBetween, OPERATOR } from '../../src/domain/audit';

const FIELDS = ['name', 'tags', 'note'];

it('names each field that differs, with what it was and what it is', () => {
  const before = { name: 'A', tags: ['x'], note: 'same', other: 1 };
  const after = { name: 'B', tags: ['x', 'y'], note: 'same', other: 2 };
  expect(changesBetween(before, after, FIELDS)).toEqual([
    { field: 'name', before: 'A', after: 'B' },
    { field: 'tags', before: ['x'], after: ['x', 'y'] },
  ]);
});

it('what is new was nothing before, and what is gone is nothing afterwards', () => {
  const one = { name: 'A', note: null };
  expect(changesBetween(null, one, FIELDS)).toEqual([{ field: 'name', before: null, after: 'A' }]);
  expect(changesBetween(one, null, FIELDS)).toEqual([{ field: 'name', before: 'A', after: null }]);
});

it('what a program of ours changes has neither a request nor an address', () => {
  expect(OPERATOR).toEqual({ by: 'operator', requestId: null, address: null });
});
