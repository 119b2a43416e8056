import { notProven } from '../../../tools/chaos/proof';
import { barsOfTimeOuts } from '../../../tools/chaos/time-outs';

it('is not proven that late workers do no harm if no attempt of their queue has timed out', () => {
  const timedOut = [{ workflowId: 'order-ord_1', activity: 'placeOrder', queue: 'orders' }];
  const bars = barsOfTimeOuts(timedOut, ['orders', 'payments']);
  expect(notProven(bars)).toMatchObject([
    { kind: 'not_proven', subject: 'attempts of the queue payments that timed out', found: '0' },
  ]);
});
