import type { PaymentAction } from '../../src/domain/payment';
import { createOrderPresenter } from '../../src/orders/orders.presenter';
import { orderIn } from '../domain/fixtures';

const PAY_BY = '2026-01-01T00:30:00.000Z';
const EARLIER = '2026-01-01T00:10:00.000Z';
const LATER = '2026-01-01T01:00:00.000Z';
const present = createOrderPresenter({ uiUrl: 'http://localhost', namespace: 'default' });
const actionOf = (action: PaymentAction | null) =>
  present(orderIn({ payBy: PAY_BY }), { id: 'usr_1', role: 'CUSTOMER' }, action).paymentAction;

it.each([
  ['the deadline of the order', undefined, PAY_BY],
  ['that of the payment service if it is earlier', EARLIER, EARLIER],
  ['that of the order if the payment service allows longer', LATER, PAY_BY],
])('a customer may pay until %s', (_, expiresAt, until) => {
  expect(actionOf({ type: 'use_sdk', clientSecret: 's', expiresAt })).toMatchObject({ expiresAt: until });
});

it('tells a customer only what there is of a redirect and of a secret', () => {
  const redirectUrl = 'https://bank.example/3ds';
  expect(actionOf({ type: 'redirect', redirectUrl })).toEqual({
    type: 'redirect',
    redirectUrl,
    expiresAt: PAY_BY,
  });
  expect(actionOf({ type: 'use_sdk', clientSecret: 's' })).toEqual({
    type: 'use_sdk',
    clientSecret: 's',
    expiresAt: PAY_BY,
  });
  expect(actionOf(null)).toBeUndefined();
});

describe('the traces of an order', () => {
  const order = orderIn({});
  const admin = { id: 'usr_1', role: 'ADMIN' } as const;
  const customer = { id: order.customerId, role: 'CUSTOMER' } as const;
  const traceUiUrl = 'https://traces.example.com/search?tags=%7B%22order.id%22%3A%22{orderId}%22%7D';
  const linking = createOrderPresenter({ uiUrl: 'http://localhost', namespace: 'default', traceUiUrl });

  it('are where TRACE_UI_URL says, for ADMINs', () => {
    const url = `https://traces.example.com/search?tags=%7B%22order.id%22%3A%22${order.id}%22%7D`;
    expect(linking(order, admin).traceUrl).toBe(url);
    expect(linking(order, customer)).not.toHaveProperty('traceUrl');
  });

  it('are nowhere without it', () => {
    expect(present(order, admin)).not.toHaveProperty('traceUrl');
  });
});
