import { nextSteps } from '../../../tools/devstack/start/next-steps';
import { orderTable, type ShownOrder } from '../../../tools/devstack/start/order-table';
import { resetCommand, shellWord } from '../../../tools/project';
import { createPayloadCodec } from '../../../src/temporal/payload-codec';

const ORDER: ShownOrder & { workflowId: string } = {
  id: 'ord_1',
  status: 'confirmed',
  currency: 'EUR',
  items: [{ name: 'T-shirt, M', quantity: 2, unitPrice: 1_999, subtotal: 3_998, tax: 760, total: 4_758 }],
  subtotal: 3_998,
  tax: 760,
  total: 4_758,
  statusHistory: [
    { at: '2026-01-15T09:30:00.000Z', axis: 'status', from: null, to: 'pending', reason: null },
  ],
  workflowId: 'order-ord_1',
};
const TEMPORAL = { address: '127.0.0.1:7233', namespace: 'default', codec: createPayloadCodec([]) };
const RUNNING = { baseUrl: 'http://localhost:3000/api', logFolder: '/logs', temporal: TEMPORAL };

it('shows the steps, the status and the amounts of an order in columns', () => {
  expect(orderTable(ORDER, [{ name: 'priceOrder', summary: 'Compute the totals' }])).toBe(
    [
      '  ord_1  confirmed',
      '',
      '  priceOrder  Compute the totals',
      '',
      '  status  – → pending  2026-01-15T09:30:00.000Z',
      '',
      '  Item        Quantity  Unit price   Subtotal       Tax      Total',
      '  T-shirt, M         2   19.99 EUR  39.98 EUR  7.60 EUR  47.58 EUR',
      '  Total                             39.98 EUR  7.60 EUR  47.58 EUR',
    ].join('\n'),
  );
});

it('shows the command line of a Temporal that was started here, with its path', () => {
  const temporal = { ...TEMPORAL, executable: '/my cache/temporal' };
  expect(nextSteps({ order: ORDER }, { ...RUNNING, temporal })).toContain(
    "'/my cache/temporal' workflow show --workflow-id order-ord_1 --address 127.0.0.1:7233 --namespace default",
  );
  expect(nextSteps({}, { ...RUNNING, temporal })).toContain("'/my cache/temporal' workflow list");
  expect(nextSteps({ order: ORDER }, RUNNING)).not.toContain('workflow show');
});

it('shows how to remove the data of another folder', () => {
  expect(resetCommand({})).toBe('npm run reset');
  expect(resetCommand({ DATA_DIR: '.data2' })).toBe('DATA_DIR=.data2 npm run reset');
  expect(shellWord("it's")).toBe(String.raw`'it'\''s'`);
});
