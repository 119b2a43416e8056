import type { Test } from 'supertest';
import type { CartView } from '../../src/carts/cart-view';
import type { ShippingAddress } from '../../src/domain/order';
import type { TestApi } from './api';

/** A cart in the hands of its user, or of a guest who has no access token. */
export interface TestCart {
  id: string;
  /** Sends a request for the cart, or for what is below it. */
  call(method: 'get' | 'put' | 'patch' | 'delete' | 'post', path?: string): Test;
  put(productServiceId: string, quantity: number): Test;
  checkOut(body?: object, headers?: Record<string, string>): Test;
  read(): Promise<CartView>;
}

export const ADDRESS: ShippingAddress = {
  name: 'Ada Lovelace',
  line1: 'Street 1',
  city: 'Berlin',
  country: 'DE',
};

/** @param token the access token of a user; a guest has none */
export async function openCart(api: TestApi, token?: string): Promise<TestCart & { token: string }> {
  const { body } = await api.call('post', '/carts', token);
  const { id, token: opening } = (body as { data: CartView }).data;
  const call: TestCart['call'] = (method, path = '') => {
    const sent = api.call(method, `/carts/${id}${path}`, token);
    return opening === undefined ? sent : sent.set('Cart-Token', opening);
  };
  return {
    id,
    token: opening!,
    call,
    put: (productServiceId, quantity) => call('put', `/items/${productServiceId}`).send({ quantity }),
    checkOut: (body = {}, headers = {}) =>
      call('post', '/checkout')
        .set(headers)
        .send({ paymentMethod: 'pm_card_visa', ...body }),
    async read() {
      const { body } = await call('get').expect(200);
      return (body as { data: CartView }).data;
    },
  };
}
