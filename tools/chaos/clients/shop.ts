import type { Rig } from '../rig/rig';
import { DEMO_ADMIN, DEMO_PASSWORD, DEMO_USERS } from '../../../src/users/demo-users';
import { createCaller, type CallerOptions } from './caller';
import { calls } from './calls';
import { send, type Answer, type Request } from './http';

export interface Product {
  id: string;
  sku: string;
}

/** Who calls, and what there is to buy. */
export interface Shop {
  admin: string;
  customers: readonly string[];
  products: readonly Product[];
}

/** Units of each product when the run begins: some are scarce. */
export const STOCKED = [200, 60, 15, 6] as const;
const PRICES = [1_999, 1_250, 9_900, 333];

/** Signs the users in, and makes the products, which have no stock yet: a call of the log puts it in. */
export async function openShop({ apis }: Pick<Rig, 'apis'>): Promise<Shop> {
  const [baseUrl] = apis.values();
  const tokens = new Map<string, string>();
  for (const { email } of DEMO_USERS) {
    const session = await must(baseUrl!, {
      method: 'POST',
      path: '/auth/login',
      body: { email, password: DEMO_PASSWORD },
    });
    tokens.set(email, (session as { accessToken: string }).accessToken);
  }
  const admin = tokens.get(DEMO_ADMIN)!;
  tokens.delete(DEMO_ADMIN);
  const products: Product[] = [];
  for (const [index, unitPrice] of PRICES.entries()) {
    const sku = `CHAOS-${index + 1}`;
    const body = { sku, name: sku, kind: 'product', unitPrice, currency: 'EUR', taxRateBps: 1_900 };
    const made = await must(baseUrl!, { method: 'POST', path: '/product-services', token: admin, body });
    products.push({ id: (made as { id: string }).id, sku });
  }
  return { admin, customers: [...tokens.values()], products };
}

/** How long it is tried: a system that takes no goods without any fault is not worth disturbing. */
const STOCKING_MS = 120_000;

/** Puts goods into the stock of each product, by calls of the log. */
export async function stockUp(
  { admin, products }: Shop,
  units: readonly number[],
  { log, signal, ...options }: Omit<CallerOptions, 'client' | 'deadline'> & { signal: AbortSignal },
): Promise<void> {
  const end = log.now() + STOCKING_MS;
  const deadline = (): number => (signal.aborted ? 0 : end);
  const owner = createCaller({ client: 'owner', log, deadline, ...options });
  for (const [index, { id }] of products.entries())
    await owner.call(calls.adjustStock(admin, id, units[index]!));
}

async function must(baseUrl: string, request: Request): Promise<unknown> {
  const answer: Answer = await send(baseUrl, request);
  if (answer.status !== null && answer.status < 300) return answer.data;
  throw new Error(`${request.method} ${request.path} was answered with ${JSON.stringify(answer)}`);
}
