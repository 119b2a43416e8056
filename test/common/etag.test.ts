import { etagOf, matchesIfNoneMatch, requireIfMatch } from '../../src/common/etag';

describe('requireIfMatch', () => {
  it.each([undefined, '', '  '])('requires the header: %p', (header) => {
    expect(() => requireIfMatch(header)).toThrow(expect.objectContaining({ code: 'precondition_required' }));
  });

  it.each(['3', '"3', '"3" "4"', '*,"3"', 'W/3', '"3",'])(
    'rejects a header that is not a list of entity tags: %s',
    (header) => {
      expect(() => requireIfMatch(header)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
    },
  );

  it.each(['"3"', '*', '"2", "3"', 'W/"3","3"', ' "3" '])('accepts version 3 for %s', (header) => {
    expect(() => requireIfMatch(header)(3)).not.toThrow();
  });

  it.each(['"2"', '""', '"2","4"', 'W/"3"', '"03"'])(
    'rejects version 3 for %s and returns the current ETag',
    (header) => {
      const check = requireIfMatch(header);
      expect(() => check(3)).toThrow(
        expect.objectContaining({ code: 'precondition_failed', headers: { ETag: etagOf(3) } }),
      );
    },
  );
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
    expect(matchesIfNoneMatch(header, 3)).toBe(expected);
  });
});
