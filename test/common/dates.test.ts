import Joi from 'joi';
import { isoTime, isoTimeAfter, isoTimeText } from '../../src/common/dates';

it.each([
  ['2026-02-28', '2026-02-28T00:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2000-02-29T23:59:59Z', '2000-02-29T23:59:59.000Z'],
  ['2026-12-31T23:00:00+02:00', '2026-12-31T21:00:00.000Z'],
  ['2026-07', '2026-07-01T00:00:00.000Z'],
  ['2026-07-01T10:00+02:00', '2026-07-01T08:00:00.000Z'],
  ['2026-07-01T10:00:00.123456Z', '2026-07-01T10:00:00.123Z'],
  ['2026-07-01T10:00:00+0200', '2026-07-01T08:00:00.000Z'],
  ['2026-07-01T10:00:00-0000', '2026-07-01T10:00:00.000Z'],
  ['2026-07-01t10:00:00z', '2026-07-01T10:00:00.000Z'],
])('accepts %s', (text, time) => {
  expect(isoTime().validate(text)).toEqual({ value: new Date(time) });
  const kept = isoTimeText().validate(text, { convert: false });
  if (/t/i.test(text)) expect(new Date(kept.value)).toEqual(new Date(time));
  else expect(kept.error).toBeDefined();
});

it.each([
  '2026-02-29',
  '2026-02-30',
  '2026-04-31T10:00:00Z',
  '1900-02-29',
  '2026-00-10',
  '2026-13-01',
  '5',
  '2027-01-01T10:00+01',
  '2027-01-01T10:00+010',
  '2027-01-01 10:00:00Z',
  '2027-W05',
  '2026-12-31T23:00:00', // without an offset
  '+002026-02-30T00:00:00Z',
  '+012026-01-01',
  '2026-01-01T25:00:00Z',
  '2026-01-01T10:00:00+1:00',
  '',
])('rejects %s', (text) => {
  expect(isoTime().validate(text).error).toBeDefined();
  expect(isoTimeText().validate(text, { convert: false }).error).toBeDefined();
});

it('a time with a space where a + was meant is told so', () => {
  for (const text of ['2026-01-31T10:00:00 01:00', '2026-01-31T10:00 0100']) {
    expect(isoTime().label('from').validate(text).error!.message).toContain('send the + as %2B');
  }
});

it.each([
  ['2026-01-01', '2026-01-02', true],
  ['2026-01-01', '2026-01-01', false],
  ['2026-01-02', '2026-01-01', false],
  [undefined, '2026-01-01', true],
  ['2026-01-01', undefined, true],
])('a period from %s to %s: %s', (from, to, isPeriod) => {
  const { error } = Joi.object({ from: isoTime(), to: isoTimeAfter('from') }).validate({ from, to });
  expect([error === undefined, error?.message ?? 'must be after from']).toEqual([
    isPeriod,
    expect.stringContaining('must be after from'),
  ]);
});
