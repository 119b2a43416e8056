import { isWhole, primaryOf, type Hello } from '../../../tools/chaos/rig/replica-set';

const OLD_TERM = '7fffffff0000000000000001';
const NEW_TERM = '7fffffff0000000000000002';

const primary = (me: string, electionId = OLD_TERM): Hello => ({
  me,
  primary: me,
  isWritablePrimary: true,
  secondary: false,
  electionId,
});
const secondary = (me: string, of?: string): Hello => ({
  me,
  primary: of,
  isWritablePrimary: false,
  secondary: true,
});

describe('the primary of a replica set, by what its nodes say', () => {
  it.each([
    ['which all name', [primary('a'), secondary('b', 'a'), secondary('c', 'a')], 'a'],
    ['with a node that is down', [undefined, primary('b', NEW_TERM), secondary('c', 'b')], 'b'],
    ['beside one that is cut off', [primary('a'), primary('b', NEW_TERM), secondary('c', 'b')], 'b'],
    [
      'of which the third has not heard',
      [primary('a'), primary('b', NEW_TERM), secondary('c', 'a')],
      undefined,
    ],
    ['which nobody follows yet', [undefined, primary('b', NEW_TERM), secondary('c')], undefined],
    ['which is frozen', [undefined, secondary('b', 'a'), secondary('c', 'a')], undefined],
    ['which there is none', [secondary('a'), secondary('b'), secondary('c')], undefined],
  ])('is one %s', (_name, answers, expected) => {
    expect(primaryOf(answers)).toBe(expected);
  });

  it('is followed by all nodes, or the set is not whole', () => {
    const [a, b] = [primary('a'), secondary('b', 'a')];
    expect(isWhole([a, b, secondary('c', 'a')])).toBe(true);
    const starting = { ...secondary('c', 'a'), secondary: false };
    for (const third of [undefined, secondary('c'), starting, primary('c', '')])
      expect(isWhole([a, b, third])).toBe(false);
  });
});
