import { orderNumberOf } from '../../../src/domain/order-number';
import { describeOrder } from '../../../src/orders/temporal/order-description';
import { lines } from '../../support/order-api';
import { orderRequest } from '../../support/shop';

it('says which quantities are ordered by which customer id, but nothing personal', () => {
  const shippingAddress = {
    name: 'Alice',
    line1: 'Street 1',
    city: 'Berlin',
    postalCode: '10115',
    country: 'DE',
  };
  const request = orderRequest({ ...lines(['ps_a', 2], ['ps_b', 1]), shippingAddress, note: 'Secret' });
  const { staticSummary, staticDetails } = describeOrder(request);
  expect(staticSummary).toBe(
    `${orderNumberOf(request.orderId)}: 2 lines, 3 units, for ${request.customerId}`,
  );
  expect(staticDetails).toMatch(/- 2 × `ps_a`\n- 1 × `ps_b`$/);
  expect(staticDetails).not.toMatch(/Alice|Street|Berlin|Secret/);
});

it.each([
  [21, /and 1 more line$/],
  [25, /and 5 more lines$/],
])('shortens an order of %i lines', (count, ending) => {
  const many = Array.from({ length: count }, (_, n) => [`ps_${n}`, 1] as [string, number]);
  expect(describeOrder(orderRequest(lines(...many))).staticDetails).toMatch(ending);
});
