import { imbalances, type Books } from '../../bench/harness/books';

const STOCKED = 10;
const books: Books = {
  orders: [
    {
      _id: 'ord_1',
      status: 'confirmed',
      paymentStatus: 'authorized',
      total: 500,
      items: [{ productServiceId: 'ps_1', quantity: 2 }],
      intention: null,
      compensations: [],
    },
  ],
  payments: [{ _id: 'pay_1', orderId: 'ord_1', open: 500 }],
  products: [{ _id: 'ps_1', stock: { available: 8, reserved: 2 } }],
  running: 1,
};
const [order] = books.orders;
const [payment] = books.payments;

it('finds nothing in books that agree', () => {
  expect(imbalances(books, ['ord_1'], STOCKED)).toEqual([]);
});

it('finds an order that was confirmed to the customer and is not stored', () => {
  expect(imbalances(books, ['ord_1', 'ord_2'], STOCKED)).toEqual(['ord_2 was confirmed and is not stored']);
});

it.each<[damage: string, changes: Partial<Books>]>([
  ['a pending order', { orders: [{ ...order!, status: 'pending' }] }],
  ['a payment that an order owes', { orders: [{ ...order!, compensations: [{}] }] }],
  ['a missing payment', { payments: [] }],
  ['a second payment', { payments: [payment!, { ...payment!, _id: 'pay_2' }] }],
  ['a payment for no order', { payments: [payment!, { _id: 'pay_2', orderId: 'ord_2', open: 1 }] }],
  ['too much stock', { products: [{ _id: 'ps_1', stock: { available: 9, reserved: 2 } }] }],
  [
    'stock that is reserved for no order',
    { products: [{ _id: 'ps_1', stock: { available: 7, reserved: 3 } }] },
  ],
  ['an order without a workflow', { running: 0 }],
])('finds %s', (_damage, changes) => {
  expect(imbalances({ ...books, ...changes }, ['ord_1'], STOCKED)).toHaveLength(1);
});
