import { createClient, type Client, type Order, type ProductService } from '../../../clients/typescript/src';
import { DEMO_ADMIN, DEMO_CUSTOMER, DEMO_PASSWORD } from '../../../src/users/demo-users';
import { secondsSince, type Output } from '../../output';
import { resetCommand } from '../../project';
import { HANG_MS, until } from '../until';
import { orderTable } from './order-table';
import { workflowSteps, type TemporalAccess } from './workflow-steps';

const QUANTITIES = [2, 1];
/** Only seeded entries are ordered: others belong to the user. */
const SEEDED = 'ps_01HZX0000000000000';

/** What is running, and where. */
export interface Running {
  baseUrl: string;
  logFolder: string;
  temporal: TemporalAccess;
}

export interface DemoSystem {
  baseUrl: string;
  /** To show the steps of the workflow. */
  temporal?: TemporalAccess;
}

export interface Demo {
  /** Absent if nothing was in stock. */
  order?: Pick<Order, 'workflowId' | 'temporalUrl'>;
  /** An entry of the catalogue, for the next order. */
  product?: ProductService;
}

/** Places an order over HTTP, waits until it is settled, and shows its steps and totals. */
export async function placeDemoOrder({ baseUrl, temporal }: DemoSystem, output: Output): Promise<Demo> {
  const alice = await signedIn(baseUrl, DEMO_CUSTOMER);
  const { data: catalogue } = await alice.listProductServices({ query: { limit: 100 } });
  const basket = chooseBasket(catalogue);
  if (basket.length === 0) {
    output.line(
      `No demo order was placed: the demo stock is used up. Stop with Ctrl-C and run \`${resetCommand()}\` to restore it.`,
    );
    return { product: catalogue[0] };
  }
  const start = Date.now();
  const items = basket.map((entry, index) => ({
    productServiceId: entry.id,
    quantity: QUANTITIES[index]!,
  }));
  const { status, data } = await alice.placeOrder({ body: { items, paymentMethod: 'pm_card_visa' } });
  const order = data.status === 'pending' ? await settled(alice, data.id) : data;
  output.line(
    `\nA demo order by ${DEMO_CUSTOMER}: POST ${baseUrl}/orders → ${status}, ${secondsSince(start)}\n`,
  );
  const steps = temporal ? await workflowSteps(temporal, order.workflowId) : [];
  output.line(orderTable(order, steps));
  return { order: await asAdminSees(baseUrl, order), product: basket[0] };
}

async function signedIn(baseUrl: string, email: string): Promise<Client> {
  const client = createClient({ baseUrl, timeoutMs: HANG_MS });
  const { data } = await client.login({ body: { email, password: DEMO_PASSWORD } });
  if (!('accessToken' in data))
    throw new Error(`${email} signs in with an authenticator app by now; \`${resetCommand()}\` removes it`);
  client.useTokens(data);
  return client;
}

/**
 * Chooses two seeded entries in one currency with enough stock; services have no stock that could run out.
 */
function chooseBasket(catalogue: ProductService[]): ProductService[] {
  const most = Math.max(...QUANTITIES);
  const seeded = catalogue.filter(({ id }) => id.startsWith(SEEDED));
  const available = seeded.filter((entry) => !entry.stock || entry.stock.available >= most);
  const first = available.find((entry) => entry.stock) ?? available[0];
  const second = available.find((entry) => entry !== first && entry.currency === first?.currency);
  return [first, second].filter((entry) => entry !== undefined);
}

/** Waits for the outcome of an order that was answered with 202. */
function settled(client: Client, id: string): Promise<Order> {
  const read = async (): Promise<Order | undefined> => {
    const { data } = await client.getOrder({ path: { id } });
    return data.status === 'pending' ? undefined : data;
  };
  return until(HANG_MS, read, () => new Error(`order ${id} is still pending after ${HANG_MS / 60_000} min`));
}

/** Reads the order as an ADMIN, who alone gets the address of its workflow. */
async function asAdminSees(baseUrl: string, order: Order): Promise<Order> {
  const admin = await signedIn(baseUrl, DEMO_ADMIN);
  return (await admin.getOrder({ path: { id: order.id } })).data;
}
