import type { Context } from '../../../src/http/context';
import { payerOf } from '../../../src/orders/routes/payer';

const ctx = { ip: '203.0.113.7' } as Context;
const guests = ['usr_guest'];

it.each([
  ['a customer', { id: 'usr_1', role: 'CUSTOMER' }, 'usr_1', { by: 'usr_1', isForOthers: false }],
  // Workers count declined payments for the guest, so this is whose the limits and the address have to be of.
  [
    'an account for a guest',
    { id: 'usr_1', role: 'CUSTOMER', guests },
    'usr_guest',
    { by: 'usr_guest', isForOthers: false },
  ],
  [
    'an ADMIN for a guest of theirs',
    { id: 'usr_1', role: 'ADMIN', guests },
    'usr_guest',
    { by: 'usr_1', isForOthers: false },
  ],
  ['the staff for a customer', { id: 'usr_2', role: 'ADMIN' }, 'usr_1', { by: 'usr_2', isForOthers: true }],
] as const)('counts declined payments of %s for who sends them', (_who, principal, customerId, payer) => {
  expect(payerOf(ctx, principal, { customerId })).toEqual({ ...payer, address: '203.0.113.7' });
});
