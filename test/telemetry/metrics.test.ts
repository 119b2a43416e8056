import { createMetrics } from '../../src/telemetry/metrics';

it('leaves out a gauge whose value is not known any more, until it is again, and keeps what was counted', async () => {
  const { meter, text } = await createMetrics();
  meter.createCounter('orders_total').add(3);
  let backlog: number | undefined = 7;
  meter.createObservableGauge('backlog').addCallback((result) => {
    if (backlog !== undefined) result.observe(backlog, { queue: 'orders' });
  });
  const values = async () => (await text()).split('\n').filter((line) => line && !line.startsWith('#'));
  expect(await values()).toEqual(['orders_total 3', 'backlog{queue="orders"} 7']);
  backlog = undefined;
  expect(await values()).toEqual(['orders_total 3']);
  backlog = 5;
  expect(await values()).toEqual(['orders_total 3', 'backlog{queue="orders"} 5']);
});
