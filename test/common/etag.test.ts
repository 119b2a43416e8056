import Joi from 'joi';
import {
  etagOf,
  ifMatchSchema,
  isWeak,
  matchesIfNoneMatch,
  requireVersion,
  versionsOf,
} from '../../src/common/etag';

const isValid = (header: string) =>
  Joi.object({ h: ifMatchSchema() }).validate({ h: header }).error === undefined;
const check = (header: string, version: number) => requireVersion(versionsOf(header), version);

describe('an If-Match header', () => {
  it.each(['3', '"3', '"3" "4"', '*,"3"', 'W/3', 'w/"3"', ',', ' , ,', '"3",x'])(
    'is invalid as %s',
    (header) => {
      expect(isValid(header)).toBe(false);
    },
  );

  it.each(['"3"', '*', '"2", "3"', 'W/"3","3"', '"3",', ',"3"', '"2",, "3" ,', ', ,"3"'])(
    'names version 3 as %s',
    (header) => {
      expect(isValid(header)).toBe(true);
      expect(() => check(header, 3)).not.toThrow();
    },
  );

  it.each(['"2"', '""', '"2","4"', 'W/"3"', '"03"'])(
    'does not name version 3 as %s, and the problem has the current ETag',
    (header) => {
      expect(isValid(header)).toBe(true);
      expect(() => check(header, 3)).toThrow(
        expect.objectContaining({ code: 'precondition_failed', headers: { ETag: etagOf(3) } }),
      );
    },
  );

  it.each([
    ['W/"3"', true],
    ['W/"3", W/"4"', true],
    ['W/"3", "4"', false],
    ['"4"', false],
    ['*', false],
  ])('has, as %s, only weak tags: %s', (header, expected) => {
    expect(isWeak(header)).toBe(expected);
  });

  it('is judged in time that its length bounds, whatever its spaces', () => {
    expect(isValid(`${', '.repeat(400)}x`)).toBe(false);
  });
});

describe('matchesIfNoneMatch', () => {
  it.each([
    [undefined, false],
    ['*', true],
    ['"3"', true],
    ['W/"3"', true],
    ['"1", W/"3"', true],
    ['"1"', false],
    ['3', false],
  ])('is, for %s, %s at version 3', (header, expected) => {
    expect(matchesIfNoneMatch(header, etagOf(3))).toBe(expected);
  });
});
