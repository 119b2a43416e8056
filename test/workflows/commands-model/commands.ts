import fc from 'fast-check';
import { CALLER, type Counter, type Telling } from './counter';
import { GOODS, type Result, type Line, type OrderModel } from './model';
import type { Card, Happening } from './till';

export type OrderCommand = fc.AsyncCommand<OrderModel, Counter>;

/** How often each command had each result. */
export const results = new Map<string, number>();

/**
 * Sends the same command to model and order, and expects the same result. Only a command that succeeds
 * changes anything, and a payment that was tried.
 * @param isPossible whether the model knows what the command does then
 */
function command(
  name: string,
  what: object,
  expected: (model: OrderModel) => Result,
  real: (counter: Counter, model: OrderModel) => Promise<Result>,
  isPossible: (model: Readonly<OrderModel>) => boolean = () => true,
): OrderCommand {
  return {
    check: isPossible,
    toString: () => `${name}(${JSON.stringify(what)})`,
    async run(model, counter) {
      const result = await real(counter, model);
      const { attempts } = model;
      expect(`${name}: ${result}`).toBe(`${name}: ${expected(model)}`);
      results.set(`${name}: ${result}`, (results.get(`${name}: ${result}`) ?? 0) + 1);
      const isTried = attempts !== model.attempts;
      await counter.expectToBe(model, result === 'done' || isTried ? 'something' : 'nothing');
    },
  };
}

const good = fc.oneof(
  { weight: 24, arbitrary: fc.constantFrom(...GOODS) },
  { weight: 1, arbitrary: fc.constant('nothing' as const) },
);
const line: fc.Arbitrary<Line> = fc.tuple(good, fc.integer({ min: 1, max: 4 }));
const lines = fc.array(line, { minLength: 1, maxLength: 3 });
/** Only two keys, so that they are used again. */
const key = fc.constantFrom('key-1', 'key-2');

const CARDS: Readonly<Record<Card, string>> = {
  good: 'pm_card_visa',
  slow: 'pm_card_pendingRefund',
  asking: 'pm_card_threeDSecure2Required',
  declined: 'pm_card_chargeDeclined',
};

const placementWith = (cards: fc.Arbitrary<Card>) =>
  fc.record({ lines, card: cards }).map(({ lines, card }) =>
    command(
      'place',
      { lines, card },
      (model) => model.place(lines, card),
      (counter) => counter.place(lines, CARDS[card]),
    ),
  );

/** The first command of each sequence. */
export const placement = placementWith(
  fc.oneof(
    { weight: 9, arbitrary: fc.constant('good' as const) },
    { weight: 1, arbitrary: fc.constant('declined' as const) },
  ),
);

const anyCard = fc.oneof<fc.WeightedArbitrary<Card>[]>(
  { weight: 3, arbitrary: fc.constant('good') },
  { weight: 3, arbitrary: fc.constant('slow') },
  { weight: 3, arbitrary: fc.constant('asking') },
  { weight: 3, arbitrary: fc.constant('declined') },
);

/** The first command of each sequence with payments that wait for their customers. */
export const anyPlacement = placementWith(anyCard);

const placeAgain = fc.constant(
  command(
    'placeAgain',
    {},
    () => 'again',
    (counter) => counter.placeAgain(),
  ),
);

const placeOther = fc.constant(
  command(
    'placeOther',
    {},
    () => 'idempotency_key_reused',
    (counter) => counter.placeOther(),
  ),
);

/** The versions of the If-Match header, counted back from the current one. */
const SEEN = { any: null, last: [0], lastTwo: [1, 0], stale: [1], none: [] as number[] };

const amend = fc
  .record({
    lines: fc.option(lines, { freq: 4 }),
    note: fc.option(fc.constantFrom('Ring twice', null), { nil: undefined }),
    seen: fc.constantFrom(...(Object.keys(SEEN) as (keyof typeof SEEN)[])),
  })
  .map(({ lines, note, seen }) =>
    command(
      'amend',
      { lines, note, seen },
      (model) => model.amend(lines, note, seen !== 'stale' && seen !== 'none'),
      (counter) => {
        const ifMatch = SEEN[seen]?.map((back) => counter.version - back) ?? null;
        const items = lines ? { items: counter.items(lines) } : {};
        const content = { ...items, ...(note !== undefined && { note }) };
        return counter.send((service, id, caller) => service.amend(id, { ...caller, ifMatch }, content));
      },
    ),
  );

/** All that is not fulfilled, units of the nth line, or any lines. */
type Shipment = 'the rest' | { n: number; units: number } | Line[];

const shipment = fc.oneof<fc.WeightedArbitrary<Shipment>[]>(
  { weight: 3, arbitrary: fc.constant('the rest') },
  { weight: 3, arbitrary: fc.record({ n: fc.nat({ max: 2 }), units: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: lines },
);

function linesOf(shipment: Shipment, model: OrderModel): readonly Line[] {
  if (shipment === 'the rest') return model.rest();
  return Array.isArray(shipment) ? shipment : [model.someOf(shipment.n, shipment.units)];
}

const fulfill = fc.record({ shipment, key }).map(({ shipment, key }) =>
  command(
    'fulfill',
    { shipment, key },
    (model) => model.fulfill(linesOf(shipment, model), key),
    (counter, model) => {
      const content = { items: counter.items(linesOf(shipment, model)), carrier: null, trackingNumber: null };
      return counter.send((service, id, caller) =>
        service.fulfill(id, { ...caller, idempotencyKey: key }, content),
      );
    },
    (model) => model.isAbleToFulfill,
  ),
);

const which = fc.oneof(
  { weight: 4, arbitrary: fc.constant('the next' as const) },
  { weight: 1, arbitrary: fc.nat({ max: 3 }) },
);

const deliver = which.map((which) => {
  const nOf = (model: OrderModel) => (which === 'the next' ? model.nextToDeliver() : which);
  return command(
    'deliver',
    { which },
    (model) => model.deliver(nOf(model)),
    (counter, model) => {
      const fulfillmentId = counter.fulfillmentId(nOf(model));
      return counter.send((service, id) => service.deliver(id, CALLER, { fulfillmentId }));
    },
  );
});

const refund = fc
  .record({ amount: fc.option(fc.integer({ min: 1, max: 1_500 }), { freq: 3 }), key })
  .map(({ amount, key }) =>
    command(
      'refund',
      { amount, key },
      (model) => model.refund(amount, key),
      (counter) =>
        counter.send((service, id, caller) =>
          service.refund(id, { ...caller, idempotencyKey: key }, { amount, reason: 'Broken' }),
        ),
    ),
  );

const refundLines = fc
  .record({ n: fc.nat({ max: 2 }), units: fc.integer({ min: 1, max: 2 }), restock: fc.boolean(), key })
  .map(({ n, units, restock, key }) => {
    const linesOf = (model: OrderModel) => [model.someOf(n, units)];
    return command(
      'refundLines',
      { n, units, restock, key },
      (model) => model.refundLines(linesOf(model), restock, key),
      (counter, model) => {
        const items = counter.items(linesOf(model)).map((line) => ({ ...line, restock }));
        return counter.send((service, id, caller) =>
          service.refund(
            id,
            { ...caller, idempotencyKey: key },
            { amount: null, items, reason: 'Sent back' },
          ),
        );
      },
    );
  });

const undo = fc.record({ which, restock: fc.boolean() }).map(({ which, restock }) => {
  const nOf = (model: OrderModel) => (which === 'the next' ? model.nextToDeliver() : which);
  return command(
    'undo',
    { which, restock },
    (model) => model.undo(nOf(model), restock),
    (counter, model) => {
      const content = { fulfillmentId: counter.fulfillmentId(nOf(model)), reason: 'Lost', restock };
      return counter.send((service, id) => service.undoFulfillment(id, CALLER, content));
    },
    (model) => model.isAbleToOwe,
  );
});

const correct = fc
  .record({ which, trackingNumber: fc.stringMatching(/^[0-9]{12}$/) })
  .map(({ which, trackingNumber }) => {
    const nOf = (model: OrderModel) => (which === 'the next' ? model.nextToDeliver() : which);
    return command(
      'correct',
      { which, trackingNumber },
      (model) => model.correct(nOf(model), trackingNumber),
      (counter, model) => {
        const content = { fulfillmentId: counter.fulfillmentId(nOf(model)), trackingNumber };
        return counter.send((service, id) => service.correctFulfillment(id, CALLER, content));
      },
    );
  });

const cancel = fc.constant(
  command(
    'cancel',
    {},
    (model) => model.cancel(null),
    (counter) => counter.send((service, id) => service.cancel(id, CALLER, { reason: 'No' })),
    (model) => model.isAbleToOwe,
  ),
);

const cancelUnits = fc
  .record({ n: fc.nat({ max: 2 }), units: fc.integer({ min: 1, max: 2 }) })
  .map(({ n, units }) => {
    const linesOf = (model: OrderModel) => [model.someOf(n, units)];
    return command(
      'cancelUnits',
      { n, units },
      (model) => model.cancel(linesOf(model)),
      (counter, model) => {
        const content = { reason: 'Broken', items: counter.items(linesOf(model)) };
        return counter.send((service, id) => service.cancel(id, CALLER, content));
      },
      (model) => model.isAbleToOwe,
    );
  });

const archive = fc.constant(
  command(
    'archive',
    {},
    (model) => model.archive(),
    (counter) => counter.archive(),
  ),
);

/** Changes a price of the catalogue, which changes nothing that was ordered. */
const reprice = fc
  .record({ good: fc.constantFrom(...GOODS), price: fc.constantFrom(0, 100, 800, 1_500) })
  .map(({ good, price }): OrderCommand => ({
    check: () => true,
    toString: () => `reprice(${JSON.stringify({ good, price })})`,
    async run(model, counter) {
      model.price.set(good, price);
      await counter.reprice(good, price);
      await counter.expectToBe(model, 'nothing');
    },
  }));

const rarely = fc.oneof(
  { weight: 9, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);

const pay = fc
  .record({
    card: anyCard,
    by: fc.oneof(
      { weight: 4, arbitrary: fc.constant('customer' as const) },
      { weight: 1, arbitrary: fc.constant('staff' as const) },
    ),
    key: fc.constantFrom('key-1', 'key-2', 'key-3', 'key-4', 'key-5'),
    isInAnyState: rarely,
  })
  .map(({ card, by, key, isInAnyState }) =>
    command(
      'pay',
      { card, by, key },
      (model) => model.pay(card, by, key),
      (counter) =>
        counter.send((service, id, caller) => {
          const principal = by === 'staff' ? caller.principal : counter.customer;
          return service.pay(
            id,
            { ...caller, principal, idempotencyKey: key },
            { paymentMethod: CARDS[card] },
          );
        }),
      ({ isWaiting }) => isWaiting || isInAnyState,
    ),
  );

const looked = (model: OrderModel, telling: Telling) =>
  telling === 'confirm' ? model.confirmPayment() : model.lookAgain();

const telling = fc.constantFrom<Telling>('confirm', 'event', 'both at once');

const answer = fc
  .record({
    how: fc.constantFrom('authorise' as const, 'authorise' as const, 'fail' as const),
    telling,
    isInAnyState: rarely,
  })
  .map(({ how, telling, isInAnyState }) =>
    command(
      'answer',
      { how, telling },
      (model) => {
        model.answer(how);
        return looked(model, telling);
      },
      async (counter) => {
        await counter.answer(how);
        return counter.tell(telling);
      },
      ({ isUntold, isWaiting }) => !isUntold && (isWaiting || isInAnyState),
    ),
  );

const lookAgain = telling.map((telling) =>
  command(
    'lookAgain',
    { telling },
    (model) => looked(model, telling),
    (counter) => counter.tell(telling),
  ),
);

const amount = fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.constantFrom(100, 500, 1_100));
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ operation: fc.constant('capture' as const), amount, isFinal: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      operation: fc.constantFrom('refund' as const, 'dispute' as const),
      amount: fc.integer({ min: 1, max: 600 }),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      operation: fc.constantFrom(
        'settle_refund' as const,
        'fail_refund' as const,
        'fail_refund' as const,
        'expire' as const,
        'win_dispute' as const,
        'lose_dispute' as const,
      ),
    }),
  },
);

const elsewhere = fc
  .record({ happening, isTold: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)) })
  .map(({ happening, isTold }) => {
    // The workflow of an order that waits for its customer asks without being told.
    const isToldTo = (model: OrderModel) => isTold || model.paymentStatus === 'action_required';
    return command(
      happening.operation,
      { ...happening, isTold },
      (model) => model.happen(happening, isToldTo(model)),
      async (counter, model) => {
        if (!(await counter.happen(happening))) return 'refused';
        return isToldTo(model) ? counter.tell('event') : 'unchanged';
      },
      (model) => model.mayHappen(happening),
    );
  });

/** Commands that lead to more states are listed several times. */
const OF_ALL = [
  fulfill,
  fulfill,
  fulfill,
  fulfill,
  fulfill,
  fulfill,
  fulfill,
  deliver,
  deliver,
  deliver,
  deliver,
  refund,
  refund,
  refund,
  refund,
  amend,
  amend,
  amend,
  refundLines,
  refundLines,
  refundLines,
  undo,
  undo,
  undo,
  undo,
  correct,
  cancelUnits,
  cancelUnits,
  cancel,
  archive,
  reprice,
  placeAgain,
  placeOther,
];

const SETTINGS = { maxCommands: 20, size: 'max' } as const;

export const commands = fc.commands(OF_ALL, SETTINGS);

/** Those with payments that wait for their customers, and to which something happens elsewhere. */
export const paymentCommands = fc.commands(
  [
    ...OF_ALL,
    // Most of these are left out while nothing can come of them.
    ...Array.from({ length: 15 }, () => pay),
    ...Array.from({ length: 10 }, () => answer),
    ...Array.from({ length: 25 }, () => elsewhere),
    ...Array.from({ length: 3 }, () => lookAgain),
  ],
  SETTINGS,
);
