import { CURRENCIES, formatAmount } from '../../src/domain/money';
import { leftToRefund } from '../../src/domain/order-payment';
import type { Order } from '../../src/domain/order';
import type { OrderView } from '../../src/orders/order-view';
import {
  EXAMPLE_CANCELLED,
  EXAMPLE_FULFILLED,
  EXAMPLE_ORDER,
  EXAMPLE_REFUNDED,
  EXAMPLES_BY_STATE,
  forAdmin,
} from '../../src/orders/schema/example';
import * as commands from '../../src/board/page/commands.js';
import { ago, amountOf, decimalOf, money } from '../../src/board/page/format.js';
import { isIn, laneOf, lanesOf } from '../../src/board/page/lanes.js';
import { changesBetween, timelineOf } from '../../src/board/page/timeline.js';

const AMOUNTS = [0, 1, 9, 10, 99, 100, 4_758, 100_000, Number.MAX_SAFE_INTEGER];

describe('the amounts of the board', () => {
  it('have the digits of their currency, and are read back as they were', () => {
    for (const currency of CURRENCIES) {
      for (const amount of AMOUNTS) {
        expect(`${decimalOf(amount, currency)} ${currency}`).toBe(formatAmount(amount, currency));
        const typed = decimalOf(amount, currency);
        if (typed.length <= 15) expect(amountOf(typed, currency)).toBe(amount);
      }
    }
  });

  it('are exact up to the largest', () => {
    expect(money(Number.MAX_SAFE_INTEGER, 'EUR').replaceAll(/[^\d]/g, '')).toBe('9007199254740991');
    expect(money(-500, 'EUR')).toMatch(/^-.*5\.00/);
    expect(money(null, 'EUR')).toBe('–');
  });

  it.each([
    ['5', 500],
    [' 5,5 ', 550],
    ['5.', 500],
    ['05.05', 505],
    ['5.005', null],
    ['-5', null],
    ['1e3', null],
    ['', null],
    ['99999999999999999', null],
  ])('are read from what a person types: %p', (text, amount) => {
    expect(amountOf(text, 'EUR')).toBe(amount);
  });
});

it.each([
  [0, 'just now'],
  [-12_000, '12 sec. ago'],
  [-125_000, '2 min. ago'],
  [-7_300_000, '2 hr. ago'],
  [-90_000_000, '1 day ago'],
])('a time %d ms away is %s', (ms, text) => {
  const now = Date.now();
  expect(ago(new Date(now + ms).toISOString(), now)).toBe(text);
});

describe('the lanes', () => {
  const orders = Object.entries(EXAMPLES_BY_STATE);

  it.each(orders)('have one for an order that is %s', (_state, order) => {
    const all = lanesOf('all').filter((lane) => isIn(lane, order));
    expect(all).toEqual([laneOf(order)]);
  });
});

describe('what can be done with an order', () => {
  const namesFor = (order: OrderView, isAdmin = true) =>
    commands.commandsOf(order, isAdmin).map(({ label }) => label);

  it('depends on its state and on the role', () => {
    expect(namesFor(EXAMPLE_ORDER)).toEqual(['Fulfill…', 'Cancel…']);
    expect(namesFor(EXAMPLE_ORDER, false)).toEqual(['Cancel…']);
    expect(namesFor(EXAMPLE_CANCELLED)).toEqual([]);
    expect(namesFor(EXAMPLE_FULFILLED, false)).not.toContain('Refund…');
    expect(namesFor(EXAMPLE_FULFILLED)).toContain('Refund…');
  });

  it('refunds at most what the API would', () => {
    for (const order of Object.values(EXAMPLES_BY_STATE).map(forAdmin))
      expect(commands.leftToRefund(order)).toBe(leftToRefund(order as unknown as Order));
  });

  it('names each product once, with the units of all its lines', () => {
    const [line] = EXAMPLE_ORDER.items;
    const order = { ...EXAMPLE_ORDER, items: [line!, { ...line!, unitPrice: 1, fulfilledQuantity: 1 }] };
    const room = line!.quantity * 2 - 1;
    expect(commands.openOf(order)).toMatchObject([{ productServiceId: line!.productServiceId, room }]);
  });

  it('is a request with what was filled in, and without what was left empty', () => {
    const [{ productServiceId, quantity }] = EXAMPLE_ORDER.items as [OrderView['items'][number]];
    const filled = {
      hasUnits: true,
      lines: [{ productServiceId, quantity, restock: true }],
      amount: 500,
      mode: 'units',
      carrier: ' ',
      trackingNumber: '1',
      note: 'By hand',
      reason: 'A dent',
      internalNote: '',
    };
    const request = (name: commands.CommandName, target = '', more = {}) =>
      commands.requestFor({ name, label: '', target, isMain: false }, EXAMPLE_ORDER, { ...filled, ...more });
    const path = `/orders/${EXAMPLE_ORDER.id}`;
    expect([
      request('fulfill'),
      request('deliver', 'ful_1'),
      request('cancel'),
      request('cancel', '', { lines: [{ productServiceId, quantity: 1, restock: false }] }),
      request('refund'),
      request('refund', '', { mode: 'amount' }),
      request('refund', '', { mode: 'all' }),
      request('retry', 'void/1'),
      request('resolve', 'void-1'),
    ]).toEqual([
      {
        path: `${path}/fulfillments`,
        body: { items: [{ productServiceId, quantity }], trackingNumber: '1' },
        isKeyed: true,
      },
      { path: `${path}/fulfillments/ful_1/deliver`, isKeyed: true },
      { path: `${path}/cancel`, body: { reason: 'A dent' }, isKeyed: true },
      {
        path: `${path}/cancel`,
        body: { items: [{ productServiceId, quantity: 1 }], reason: 'A dent' },
        isKeyed: true,
      },
      { path: `${path}/refunds`, body: { items: filled.lines, reason: 'A dent' }, isKeyed: true },
      { path: `${path}/refunds`, body: { amount: 500, reason: 'A dent' }, isKeyed: true },
      { path: `${path}/refunds`, body: { reason: 'A dent' }, isKeyed: true },
      { path: `${path}/compensations/void%2F1/retry`, isKeyed: false },
      { path: `${path}/compensations/void-1/resolve`, body: { note: 'By hand' }, isKeyed: true },
    ]);
  });
});

describe('the timeline', () => {
  const titles = (order: OrderView) => timelineOf(order).map(({ title }) => title);

  it('tells each thing once, the latest first', () => {
    expect(titles(EXAMPLE_REFUNDED)).toEqual([
      `Refund of ${money(EXAMPLE_REFUNDED.refunds[0]!.amount, 'EUR')}`,
      'Completed',
      'Delivered',
      'All is fulfilled',
      'Payment captured',
      'Fulfilled',
      'Confirmed',
      'Payment authorised',
      'Order placed',
    ]);
    for (const order of Object.values(EXAMPLES_BY_STATE).map(forAdmin)) {
      const times = timelineOf(order).map(({ at }) => Date.parse(at));
      expect(times).toEqual([...times].sort((a, b) => b - a));
    }
  });

  it('says what is different in a later version', () => {
    expect(changesBetween(EXAMPLE_ORDER, EXAMPLE_FULFILLED)).toEqual([
      'Payment: authorized → captured',
      'Fulfillment: unfulfilled → fulfilled',
      'Fulfilled: 0 units → 2 units',
      `Captured: ${money(0, 'EUR')} → ${money(EXAMPLE_FULFILLED.captured, 'EUR')}`,
    ]);
    expect(changesBetween(EXAMPLE_ORDER, { ...EXAMPLE_ORDER, version: 9 })).toEqual(['Version 2 → 9']);
  });
});
