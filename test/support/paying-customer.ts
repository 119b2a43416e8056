import { newId } from '../../src/common/ids';
import type { Order } from '../../src/domain/order';
import { orderIdOf } from '../../src/orders/order-request';
import { createSandboxActions } from '../../src/payments/sandbox/actions';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { testConfig } from './config';
import { expectConsistency } from './consistency';
import { eventually, repeat } from './eventually';
import type { Shop } from './shop';
import { tokenFor } from './tokens';

const STOCK = 10;
const KEY = 'order';

export interface ApiResponse {
  status: number;
  isReplay: boolean;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the schemas of the routes are checked elsewhere
  body: any;
}

export type PayingCustomer = Awaited<ReturnType<typeof createPayingCustomer>>;

/** A customer with one order, who sends requests over HTTP and answers the bank on the sandbox's page. */
export async function createPayingCustomer(shop: Shop, url: string, paymentMethod: string) {
  const customerId = newId('usr');
  const orderId = orderIdOf(customerId, KEY);
  const { id: productId } = await shop.sell({ available: STOCK });
  const token = tokenFor(testConfig(), 'CUSTOMER', customerId);
  const sandbox = createSandboxRepository(shop.db.connection);

  async function send(method: string, path: string, body?: object, key?: string): Promise<ApiResponse> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body && { 'Content-Type': 'application/json' }),
        ...(key && { 'Idempotency-Key': key }),
      },
      body: body && JSON.stringify(body),
    });
    const isReplay = response.headers.get('idempotent-replayed') === 'true';
    return { status: response.status, isReplay, body: await response.json() };
  }
  const order = { items: [{ productServiceId: productId, quantity: 2 }], paymentMethod };

  return {
    orderId,
    place: () => send('POST', '/orders', order, KEY),
    pay: (card: string) => send('POST', `/orders/${orderId}/payment`, { paymentMethod: card }, `pay-${card}`),
    confirm: () => send('POST', `/orders/${orderId}/payment/confirm`),
    cancel: () => send('POST', `/orders/${orderId}/cancel`, {}, 'cancel'),
    read: () => send('GET', `/orders/${orderId}`),

    /** Answers on the page that the order names. Returns what the page says then. */
    async answer(what: 'authorise' | 'fail', { redirectUrl }: { redirectUrl: string }): Promise<string> {
      const page = await (await fetch(redirectUrl)).text();
      const action = new RegExp(`action="([^"]*answer=${what}[^"]*)"`).exec(page)![1]!;
      const answered = await fetch(new URL(action.replaceAll('&amp;', '&'), redirectUrl), { method: 'POST' });
      return /<h1>(.*)<\/h1>/.exec(await answered.text())![1]!;
    },

    /** Authorises the last payment at the bank, of which nobody tells the order. */
    async authorise(): Promise<void> {
      const payment = (await sandbox.ofOrder(orderId)).at(-1)!;
      await createSandboxActions(sandbox).answer(payment, 'authorise');
    },

    /** Waits until the order is as expected and owes nothing; it is the only one, and all agrees with it. */
    async expectEnd(end: Partial<Order>): Promise<void> {
      const stored = async () => (await shop.orders.findById(orderId))!;
      await eventually(async () =>
        expect(await stored()).toMatchObject({ ...end, compensations: [], intention: null }),
      );
      const orders = shop.db.connection.collection('orders');
      expect(await orders.countDocuments({ customerId })).toBe(1);
      await expectConsistency(shop, { productId, initial: STOCK, orders: [await stored()] });
    },
  };
}

/** Sends a request as clients do: again while there is no definite response. */
export function answerOf(send: () => Promise<ApiResponse>): Promise<ApiResponse> {
  let last: ApiResponse | undefined;
  const attempt = async () => {
    last = await send().catch(() => undefined);
    const isBeingPlaced = last?.status === 202 && last.body.data.paymentStatus === 'pending';
    return last && last.status !== 503 && !isBeingPlaced ? last : undefined;
  };
  return repeat(attempt, () => `There is no answer: ${JSON.stringify(last)}`);
}
