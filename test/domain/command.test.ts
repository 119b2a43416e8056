import {
  answerTo,
  displacedAnswers,
  isPerhapsDisplaced,
  madeBefore,
  nameOf,
  requireMatch,
  requireNotOutdated,
  withAnswer,
  withDisplaced,
  withoutAnswer,
  type Command,
  type KeyedCommand,
} from '../../src/domain/command';
import type { Order } from '../../src/domain/order';
import {
  answered,
  command,
  CREATED,
  failing,
  intendedAmendment,
  intendedFulfillment,
  LATER,
  orderIn,
  refundOf,
  refunding,
  refused,
} from './fixtures';

const keyReused = failing('IdempotencyKeyReused', /used for another request on this order/);

describe('madeBefore', () => {
  const made = [refundOf(100, 'k1'), refundOf(200, 'k2')];

  it('finds what was made under the same key', () => {
    expect(madeBefore(made, refunding(200, { id: 'k2', fingerprint: 'f-k2' }))).toBe(made[1]);
  });

  it('finds nothing under a new key', () => {
    expect(madeBefore(made, refunding(200, { id: 'k3' }))).toBeUndefined();
  });

  it('rejects another content under the same key', () => {
    const other = refunding(300, { id: 'k1', fingerprint: 'other' });
    expect(() => madeBefore(made, other)).toThrow(keyReused);
  });
});

describe('answerTo', () => {
  const done = answered('cmd_1');
  const rejected = answered('k1', { fingerprint: 'f1', error: refused });
  const order = orderIn({ commands: [done, rejected] });
  const keyed: KeyedCommand = { ...command, id: 'k1', fingerprint: 'f1', attemptId: 'another' };

  it.each<[string, Command, unknown]>([
    ['a command that was carried out', command, done],
    ['a command that was turned down, in any attempt', keyed, rejected],
    ['a command of another user', { ...command, by: 'usr_7' }, done],
    ['a new command', { ...command, id: 'cmd_2' }, undefined],
  ])('for %s is what the order remembers', (_, sent, expected) => {
    expect(answerTo(order, sent)).toBe(expected);
  });

  it('rejects another content under a key that was answered', () => {
    expect(() => answerTo(order, { ...keyed, fingerprint: 'f2' })).toThrow(keyReused);
  });

  it('rejects another content under the key of a command that is not answered yet', () => {
    const intending = orderIn({ intention: intendedFulfillment() });
    expect(() => answerTo(intending, { ...keyed, fingerprint: 'f2' })).toThrow(keyReused);
    expect(answerTo(intending, keyed)).toBeUndefined();
  });
});

it.each(['Interrupted', 'PaymentUnanswered'])(
  'answerTo finds no answer to a repeat of what ended with %s, so that it is carried out',
  (type) => {
    const keyed = { ...command, id: 'k1', fingerprint: 'f1', attemptId: 'a1' };
    const passing = answered('k1', { ...nameOf(keyed), error: { type, message: 'Nothing was changed.' } });
    const order = orderIn({ commands: [passing] });
    expect(answerTo(order, keyed)).toBe(passing);
    expect(answerTo(order, { ...keyed, attemptId: 'another' })).toBeUndefined();
    expect(() => answerTo(order, { ...keyed, fingerprint: 'f2' })).toThrow(keyReused);
  },
);

describe('requireMatch', () => {
  const order = orderIn({ version: 2 });

  it.each([[undefined], [null], [[2]], [[1, 2]]])('accepts version 2 for %j', (ifMatch) => {
    expect(() => requireMatch(order, { ifMatch })).not.toThrow();
  });

  it.each([[[1]], [[3]], [[]]])('rejects version 2 for %j', (ifMatch) => {
    const error = expect.objectContaining({ name: 'StaleVersion', version: 2 }) as Error;
    expect(() => requireMatch(order, { ifMatch })).toThrow(error);
    expect(() => requireMatch(order, { ifMatch })).toThrow(/version 2: read it again/);
  });
});

describe('withAnswer', () => {
  const order = orderIn({ version: 4, revision: 7 });

  it('remembers the version and the revision of the order with this answer', () => {
    expect(withAnswer(order, command, null, LATER)).toEqual({
      ...order,
      commands: [
        { id: 'cmd_1', fingerprint: null, attemptId: null, at: LATER, version: 4, revision: 8, error: null },
      ],
    });
  });

  it('remembers why a command was turned down, and the fingerprint of one with a key', () => {
    const { commands } = withAnswer(order, refunding(1), refused, LATER);
    expect(commands).toEqual([
      expect.objectContaining({ id: 'k1', fingerprint: 'f1', attemptId: 'a1', error: refused }),
    ]);
  });

  it('remembers each command once, as the last one', () => {
    const before = orderIn({ commands: [answered('cmd_1'), answered('cmd_2')] });
    const { commands } = withAnswer(before, command, refused, LATER);
    expect(commands.map(({ id, error }) => [id, error])).toEqual([
      ['cmd_2', null],
      ['cmd_1', refused],
    ]);
  });

  it('forgets the oldest answer beyond 50', () => {
    const before = orderIn({ commands: answers(50) });
    const { commands } = withAnswer(before, command, null, LATER);
    expect(commands.map(({ id }) => id)).toEqual([
      ...answers(50)
        .map(({ id }) => id)
        .slice(1),
      'cmd_1',
    ]);
  });
});

describe('requireNotOutdated', () => {
  const require = (order: Partial<Order>, seenRevision: number) => () =>
    requireNotOutdated(orderIn({ revision: 200, ...order }), { seenRevision });

  it('accepts any revision of an order that was never resumed, however many commands it has answered', () => {
    expect(require({ commands: answers(50) }, 0)).not.toThrow();
  });

  it('rejects a command that was sent before the order was resumed', () => {
    expect(require({ resumedRevision: 120 }, 120)).not.toThrow();
    expect(require({ resumedRevision: 120 }, 119)).toThrow(
      failing('OutdatedCommand', /came too late to be judged/),
    );
  });
});

describe('displacedAnswers', () => {
  const ids = (found: readonly { id: string }[]) => found.map(({ id }) => id);

  it('are those that the next version of the order has no room for', () => {
    const before = orderIn({ commands: answers(50) });
    expect(ids(displacedAnswers(before, withAnswer(before, command, null, LATER)))).toEqual(
      ids(answers(50)).slice(0, 1),
    );
  });

  it('are none while there is room, when the order is erased, and when a command is to be answered once more', () => {
    const before = orderIn({ commands: answers(49) });
    expect(displacedAnswers(before, withAnswer(before, command, null, LATER))).toEqual([]);
    expect(displacedAnswers(orderIn({ commands: answers(50) }), orderIn({ commands: [] }))).toEqual([]);
    const [first] = answers(50);
    const full = orderIn({ commands: answers(50) });
    expect(displacedAnswers(full, withoutAnswer(full, first!.id))).toEqual([]);
  });
});

describe('isPerhapsDisplaced', () => {
  const full = orderIn({ commands: answers(50) });

  it('is so of a command that an order without room does not have, unless it is about to be carried out', () => {
    expect(isPerhapsDisplaced(full, command)).toBe(true);
    expect(isPerhapsDisplaced(orderIn({ commands: answers(49) }), command)).toBe(false);
    expect(isPerhapsDisplaced(full, answers(50)[7]!)).toBe(false);
    const intention = { ...intendedAmendment(), command: nameOf(command) };
    expect(isPerhapsDisplaced({ ...full, intention }, command)).toBe(false);
  });

  it('is so while an order without room carries out a command that it has answered once more', () => {
    const [repeated] = answers(50);
    const intention = { ...intendedAmendment(), command: nameOf(repeated!) };
    const carryingOut = { ...withoutAnswer(full, repeated!.id), intention };
    expect(isPerhapsDisplaced(carryingOut, command)).toBe(true);
    expect(isPerhapsDisplaced(carryingOut, repeated!)).toBe(false);
  });

  it('is not so once the order has got its answer back', () => {
    const answer = answered(command.id);
    expect(withDisplaced(full, answer).commands[0]).toBe(answer);
    expect(isPerhapsDisplaced(withDisplaced(full, answer), command)).toBe(false);
    expect(withDisplaced(full, null)).toBe(full);
  });
});

/** Answers at the revisions from 101. */
function answers(count: number) {
  return Array.from({ length: count }, (_, n) =>
    answered(`earlier_${n}`, { at: CREATED, revision: 101 + n }),
  );
}
