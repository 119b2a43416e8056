import { DEMO_PASSWORD } from '../../src/users/demo-users';
import { call, SACRIFICED_PASSWORD, type Shop } from './shop';

/** Values for one parameter that the fuzzer uses beside those it generates. */
export interface KnownValues {
  /** For example `path.id` or `body.items[*].productServiceId`. */
  parameter: string;
  values: string[];
  /** How often it uses one of them. */
  probability: number;
}

export interface Operation {
  operationId: string;
  /** For example `POST /orders/{id}/cancel`. */
  name: string;
  parameters?: { name: string; in: string }[];
}

export interface Document {
  paths: Record<string, Record<string, Omit<Operation, 'name'>>>;
}

interface List {
  ids: string[];
  /** Ids of the fulfillments of orders. */
  nested: string[];
  /** The numbers of orders. */
  numbers: string[];
  cursor: string | null;
}

const HALF = 0.5;
/** Few, so that orders ask for the same. */
const REFERENCES = ['PO-1', 'PO-2'];
/**
 * One that works, one that is declined, one whose owner has to confirm the payment, and one that loses the first reply of
 * each call. An outage would give 503.
 */
const CARDS = [
  'pm_card_visa',
  'pm_card_chargeDeclined',
  'pm_card_threeDSecure2Required',
  'pm_sandbox_lost_reply',
];

/** Names as people write them in some scripts, with what is invisible in them. */
const NAMES = ['Zoë', 'Zoe\u0308', '李 明', 'می\u200cخواهم', 'അവന്\u200d', '👩🏽‍🚀', '\tAda\tLovelace\r\n'];
/** Spellings of one mailbox. */
const ADDRESSES = ['ada@bücher.example', 'Ada@XN--bcher-KVA．example', 'ada@bu\u0308cher。example'];

export function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      name: `${method.toUpperCase()} ${path}`,
    })),
  );
}

/**
 * Returns values that only the running API knows, by operation: the ids in its lists and the cursors of their
 * pages. They follow from the document alone, so a new collection is included as soon as it has a list.
 */
export async function knownValues(
  shop: Shop,
  token: string | undefined,
  operations: Operation[],
  users: string[],
): Promise<Map<string, KnownValues[]>> {
  const names = new Set(operations.map(({ name }) => name));
  const lists = new Map<string, Promise<List>>();
  const listOf = (collection: string): Promise<List> => {
    const list = lists.get(collection) ?? readList(shop, token, names.has(`GET ${collection}`) && collection);
    lists.set(collection, list);
    return list;
  };
  const known = new Map<string, KnownValues[]>();
  for (const operation of operations) {
    const collection = /\/[^/]+/.exec(operation.name)![0];
    // Of the users only those that the caller passes: some may be disabled, and others are needed.
    const ids = operation.name.includes('/users/me/') ? [] : users;
    const own = { ...(await listOf(collection)), ...(collection === '/users' ? { ids } : {}) };
    const catalogue = await listOf('/product-services');
    const values = [
      ...ofParameters(operation, own),
      ...(collection === '/carts' ? await shopping(shop, token, catalogue.ids) : []),
      ...(operation.name === 'POST /orders' || operation.name === 'POST /orders/calculate'
        ? placing(catalogue.ids, users)
        : (IN_BODIES[operation.name] ?? [])),
      ...(operation.name === 'GET /audit' ? audited(catalogue.ids, users) : []),
    ];
    known.set(
      operation.operationId,
      values.filter((one) => one.values.length > 0),
    );
  }
  return known;
}

const IN_BODIES: Readonly<Record<string, KnownValues[]>> = {
  'POST /auth/register': [
    { parameter: 'body.email', values: ADDRESSES, probability: HALF },
    { parameter: 'body.name', values: NAMES, probability: HALF },
  ],
  'POST /auth/forgot': [{ parameter: 'body.email', values: ADDRESSES, probability: HALF }],
  'POST /orders/{id}/payment': [{ parameter: 'body.paymentMethod', values: CARDS, probability: 0.9 }],
  // The token of the run is soon too old to make keys without it.
  'POST /api-keys': [{ parameter: 'body.currentPassword', values: [DEMO_PASSWORD], probability: 0.9 }],
  'POST /users/{id}/erase': [
    { parameter: 'body.currentPassword', values: [SACRIFICED_PASSWORD], probability: 0.9 },
  ],
  'POST /users/me/totp': [{ parameter: 'body.currentPassword', values: [DEMO_PASSWORD], probability: 0.9 }],
  'POST /webhook-endpoints': [
    { parameter: 'body.url', values: ['https://example.invalid/hooks'], probability: 0.9 },
    { parameter: 'body.currentPassword', values: [DEMO_PASSWORD], probability: 0.9 },
  ],
  'PATCH /users/me': [{ parameter: 'body.name', values: NAMES, probability: HALF }],
};

function ofParameters({ parameters = [] }: Operation, { ids, nested, numbers, cursor }: List): KnownValues[] {
  const values: Record<string, [values: string[], probability: number]> = {
    'path.id': [ids, HALF],
    'path.fulfillmentId': [nested, HALF],
    'header.If-Match': [['*', '"1"', '"2"', '"1-0"', '"1-1"'], HALF],
    'query.after': [['0'], HALF],
    'query.cursor': [cursor === null ? [] : [cursor], HALF],
    'query.number': [numbers, HALF],
    'query.externalRef': [REFERENCES, HALF],
  };
  return parameters.flatMap(({ name, in: place }) => {
    const known = values[`${place}.${name}`];
    return known ? [{ parameter: `${place}.${name}`, values: known[0], probability: known[1] }] : [];
  });
}

function placing(products: string[], users: string[]): KnownValues[] {
  return [
    { parameter: 'body.items[*].productServiceId', values: products, probability: HALF },
    { parameter: 'body.paymentMethod', values: CARDS, probability: HALF },
    { parameter: 'body.customerId', values: users, probability: HALF },
    { parameter: 'body.externalRef', values: REFERENCES, probability: HALF },
    { parameter: 'body.shippingAddress.name', values: NAMES, probability: HALF },
  ];
}

/** A cart of the caller's own, which nothing lists. */
async function shopping(shop: Shop, token: string | undefined, products: string[]): Promise<KnownValues[]> {
  const { data } = await call(shop, token, 'POST', '/carts');
  const cart = data as { id: string; token?: string };
  const tokens = cart.token === undefined ? [] : [cart.token];
  return [
    { parameter: 'path.id', values: [cart.id], probability: 0.9 },
    { parameter: 'path.productServiceId', values: products, probability: 0.9 },
    { parameter: 'header.Cart-Token', values: tokens, probability: 0.9 },
    { parameter: 'body.cartId', values: [cart.id], probability: HALF },
    { parameter: 'body.token', values: tokens, probability: HALF },
    { parameter: 'body.paymentMethod', values: CARDS, probability: 0.9 },
    { parameter: 'body.email', values: ADDRESSES, probability: HALF },
  ];
}

function audited(products: string[], users: string[]): KnownValues[] {
  return [
    { parameter: 'query.actor', values: [...users, 'operator'], probability: HALF },
    { parameter: 'query.object', values: [...products, ...users], probability: HALF },
  ];
}

async function readList(shop: Shop, token: string | undefined, path: string | false): Promise<List> {
  const none: List = { ids: [], nested: [], numbers: [], cursor: null };
  if (!path) return none;
  const { status, data } = await call(shop, token, 'GET', `${path}?limit=100`);
  if (status !== 200 || !Array.isArray(data)) return none; // not allowed for this role, or not a list
  const entries = data as { id: string; number?: string; fulfillments?: { id: string }[] }[];
  const { nextCursor } = await call(shop, token, 'GET', `${path}?limit=1`);
  return {
    ids: entries.map(({ id }) => id),
    numbers: entries.flatMap(({ number }) => number ?? []),
    nested: entries.flatMap(({ fulfillments = [] }) => fulfillments.map(({ id }) => id)),
    cursor: nextCursor,
  };
}
