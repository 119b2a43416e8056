import { missingLine } from './output';

describe('documented output', () => {
  it('is found when its lines come in their order, with other lines between them', () => {
    expect(missingLine('one\nthree', 'one\ntwo\nthree')).toBeUndefined();
  });

  it('is missing when a line is not there, or comes earlier than the line before it', () => {
    expect(missingLine('one\nfour', 'one\ntwo\nthree')).toBe('four');
    expect(missingLine('three\none', 'one\ntwo\nthree')).toBe('one');
  });

  it('may leave out anything at an ellipsis', () => {
    expect(
      missingLine('{"id":"…","status":"confirmed",…', '{"id":"a1","status":"confirmed","total":2}'),
    ).toBeUndefined();
    expect(missingLine('{"id":"…","status":"pending"', '{"id":"a1","status":"confirmed"}')).toBeDefined();
  });

  it('may differ in ids, times, durations and the layout of JSON', () => {
    const documented = '{\n  "id": "ord_1a",\n  "at": "2026-01-01T00:00:00.000Z"\n}\nup, 0.8 s';
    const actual = '{"id":"ord_ff0","at":"2026-11-28T06:21:18.054Z"}\nup, 12.3 s';
    expect(missingLine(documented, actual)).toBeUndefined();
  });
});
