import { blames, failuresOf, type Attack } from './attack';
import { closedObjectsOf, replaced, valueAt } from './fields';
import { propertiesOf, type Json } from './operations';
import { openWholeApi, type WholeApi } from './whole-api';

/** Fields that only the server sets, with values that an attacker would like to set. */
const ASSIGNMENTS: Readonly<Record<string, Json>> = {
  _id: 'ord_00000000000000000000000000000000',
  id: 'usr_01HZX000000000000000ADM1N0',
  version: 99,
  __v: 99,
  createdAt: '2000-01-01T00:00:00.000Z',
  updatedAt: '2000-01-01T00:00:00.000Z',
  isActive: false,
  active: false,
  role: 'ADMIN',
  roles: ['ADMIN'],
  isAdmin: true,
  scopes: ['*'],
  status: 'completed',
  paymentStatus: 'captured',
  fulfillmentStatus: 'delivered',
  statusHistory: [],
  customerId: 'usr_01HZX0000000000000000B0B00',
  userId: 'usr_01HZX0000000000000000B0B00',
  placedBy: 'usr_01HZX000000000000000ADM1N0',
  by: 'usr_01HZX000000000000000ADM1N0',
  price: 1,
  unitPrice: 1,
  subtotal: 1,
  tax: 0,
  taxRateBps: 0,
  total: 1,
  refunded: 0,
  discount: 100,
  currency: 'USD',
  sku: 'FREE',
  kind: 'service',
  stock: { available: 1_000_000, reserved: 0 },
  available: 1_000_000,
  reserved: 0,
  reservation: 'released',
  fulfilledQuantity: 1,
  fulfillments: [],
  refunds: [],
  compensations: [],
  rejection: null,
  payment: { id: 'pi_1', status: 'captured' },
  orderId: 'ord_00000000000000000000000000000000',
  workflowId: 'order-1',
  requestId: 'r',
  fingerprint: 'f',
  attemptId: 'a',
  passwordHash: 'x',
  email: 'admin@example.com',
  expiresIn: 1_000_000,
};

let api: WholeApi;
beforeAll(async () => {
  api = await openWholeApi();
});
afterEach(() => api.expectUnchanged());
afterAll(() => api.close());

it.each(['CUSTOMER', 'ADMIN'] as const)(
  'no object in a body from a %s accepts fields that only the server sets',
  async (role) => {
    const attacks = api.operations
      .filter((operation) => operation.body && (role === 'ADMIN' || operation.role !== 'ADMIN'))
      .flatMap((target) =>
        closedObjectsOf(target.body!).flatMap(({ path, schema }) =>
          Object.entries(ASSIGNMENTS)
            .filter(([key]) => !Object.hasOwn(propertiesOf(schema)!, key))
            .map(([key, value]): Attack => {
              const object = { ...(valueAt(target.example!, path) as object), [key]: value };
              const request = {
                body: JSON.stringify(replaced(withoutCustomer(target.example!), path, object)),
              };
              const place = [...path, key].join('.');
              return { target, what: place, request, objection: blames(place) };
            }),
        ),
      );
    expect(attacks.length).toBeGreaterThan(300);
    expect(await failuresOf(attacks, api.tokens[role])).toEqual([]);
  },
);

it('rejects the customerId of another user in an order of a CUSTOMER', async () => {
  const target = api.operations.find(({ id }) => id === 'placeOrder')!;
  const body = JSON.stringify({ ...(target.example as object), customerId: ASSIGNMENTS.customerId });
  const attack = { target, what: 'customerId', request: { body }, objection: blames('customerId') };
  expect(await failuresOf([attack], api.tokens.CUSTOMER)).toEqual([]);
});

/** Removes `customerId`, which only an ADMIN may send, from the example with all fields. */
function withoutCustomer(example: Json): Json {
  const { customerId: _customerId, ...rest } = example as Record<string, Json>;
  return rest;
}
