import { Client as TemporalClient, Connection } from '@temporalio/client';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type Client } from '../../clients/typescript/src';
import { DEMO_CATALOGUE } from '../../src/seed/catalogue';
import { DEMO_CUSTOMER, DEMO_PASSWORD } from '../../src/users/demo-users';
import type { ObservedStack } from './observed-stack';

/** Something that is made to go wrong on purpose. */
export interface Fault {
  name: string;
  /** What has to fire because of it. */
  alert: string;
  inject(): Promise<unknown>;
  /** Repeated every quarter of a second until the alert fires. */
  keepOn?(): Promise<unknown>;
  heal(): Promise<unknown>;
}

interface Party {
  stack: ObservedStack;
  admin: Client;
  customer: Client;
}

const ITEMS = [{ productServiceId: DEMO_CATALOGUE[0]!._id, quantity: 1 }];
const FRUITLESS_SIGN_INS = 8;

/** Returns the faults, one after the other to be made on the same stack. */
export function faultsOf(party: Party): Fault[] {
  const { stack } = party;
  return [
    ...outages(party),
    ...payments(party),
    ...webhooks(party),
    ...attacks(party),
    {
      name: 'no worker of the events queue',
      alert: 'EventsRelayLost',
      inject: () => restart(stack, { WORKER_QUEUES: 'orders,payments' }),
      heal: () => restart(stack),
    },
  ];
}

async function restart({ worker }: ObservedStack, env?: Record<string, string>): Promise<void> {
  await worker.stop();
  await worker.start(env);
}

const place = ({ customer }: Party, paymentMethod: string): Promise<string> =>
  customer.placeOrder({ body: { items: ITEMS, paymentMethod } }).then(({ data }) => data.id);

function outages(party: Party): Fault[] {
  const { stack, admin } = party;
  const withTemporal = async (work: (client: TemporalClient) => Promise<unknown>): Promise<void> => {
    const connection = await Connection.connect({ address: stack.temporalAddress });
    try {
      await work(new TemporalClient({ connection }));
    } finally {
      await connection.close();
    }
  };
  return [
    {
      name: 'no worker',
      alert: 'NoWorkerPolls',
      inject: () => stack.worker.stop(),
      heal: () => stack.worker.start(),
    },
    {
      name: 'the workers of a version are stopped while orders are open on it',
      alert: 'VersionWithoutWorkers',
      inject: async () => {
        await place(party, 'pm_card_visa');
        await restart(stack, { WORKER_BUILD_ID: 'next', WORKER_ROLLOUT: 'manual' });
      },
      heal: () => restart(stack),
    },
    { name: 'no API', alert: 'ApiDown', inject: () => stack.api.stop(), heal: () => stack.api.start() },
    {
      name: 'MongoDB does not respond',
      alert: 'MongoDBUnreachable',
      inject: async () => stack.freeze('mongodb'),
      heal: async () => stack.thaw('mongodb'),
    },
    {
      name: 'Temporal does not respond',
      alert: 'TemporalUnreachable',
      inject: async () => stack.freeze('temporal'),
      heal: async () => stack.thaw('temporal'),
    },
    {
      name: 'a workflow that no worker can run',
      alert: 'WorkflowTaskFailing',
      inject: () =>
        withTemporal(({ workflow }) =>
          workflow.start('poisoned', { taskQueue: 'orders', workflowId: 'poisoned' }),
        ),
      heal: () => withTemporal(({ workflow }) => workflow.getHandle('poisoned').terminate()),
    },
    {
      name: 'the Schedule that seals the audit log is paused',
      alert: 'AuditLogNotSealed',
      inject: async () => {
        await withTemporal(({ schedule }) => schedule.getHandle('orders-audit-log').pause());
        await admin.listUsers({});
        await admin.createApiKey({ body: { name: 'alerts', scopes: ['orders:read'] } });
      },
      heal: () =>
        withTemporal(async ({ schedule }) => {
          await schedule.getHandle('orders-audit-log').unpause();
          await schedule.getHandle('orders-audit-log').trigger();
        }),
    },
  ];
}

function payments(party: Party): Fault[] {
  const { stack, admin, customer } = party;
  const available = (isAvailable: boolean) => admin.setPaymentSandbox({ body: { available: isAvailable } });
  let id: string;
  return [
    {
      name: 'the payment service is down',
      alert: 'PaymentOutage',
      inject: () => available(false),
      keepOn: () => place(party, 'pm_sandbox_outage'),
      heal: () => available(true),
    },
    {
      name: 'the payment service is slow',
      alert: 'PaymentProviderSlow',
      inject: async () => undefined,
      keepOn: () => place(party, 'pm_sandbox_slow'),
      heal: async () => undefined,
    },
    {
      name: 'a payment cannot be voided',
      alert: 'CompensationPendingTooLong',
      inject: async () => {
        await available(true);
        id = await place(party, 'pm_sandbox_outage');
        await available(false);
        await customer.cancelOrder({ path: { id }, body: {} });
      },
      heal: () => available(true),
    },
    {
      name: 'more payments than the limit allows',
      alert: 'PaymentsQueueThrottled',
      inject: () => restart(stack, { PAYMENTS_MAX_PER_SECOND: '0.05' }),
      keepOn: () => place(party, 'pm_card_visa'),
      heal: () => restart(stack),
    },
  ];
}

function webhooks(party: Party): Fault[] {
  const { admin } = party;
  let receiver: Server | undefined;
  let endpointId: string;
  const receive = async (status: number): Promise<void> => {
    receiver = createServer((_, res) => res.writeHead(status).end());
    await new Promise<void>((resolve) => void receiver!.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    const body = { url, types: ['*' as const], currentPassword: DEMO_PASSWORD };
    const { data } = await admin.createWebhookEndpoint({ body });
    endpointId = data.id;
    await place(party, 'pm_card_visa');
  };
  const heal = async (): Promise<void> => {
    receiver?.close();
    await admin.deleteWebhookEndpoint({ path: { id: endpointId } });
  };
  return [
    {
      name: 'a receiver of webhooks fails',
      alert: 'WebhookReceiverDead',
      inject: () => receive(500),
      heal,
    },
    {
      name: 'a receiver of webhooks is gone',
      alert: 'WebhookEndpointDisabled',
      inject: () => receive(410),
      heal,
    },
  ];
}

function attacks({ stack: { baseUrl } }: Party): Fault[] {
  const guest = createClient({ baseUrl });
  return [
    {
      name: 'a refresh token is used twice',
      alert: 'RefreshTokenReused',
      inject: async () => {
        const { data } = await guest.login({ body: { email: DEMO_CUSTOMER, password: DEMO_PASSWORD } });
        const { refreshToken } = data as { refreshToken: string };
        await guest.refresh({ body: { refreshToken } });
        await delay(1_000);
        await guest.refresh({ body: { refreshToken } }).catch(() => undefined);
      },
      heal: async () => undefined,
    },
    {
      name: 'many wrong passwords',
      alert: 'SignInAttack',
      inject: async () => undefined,
      keepOn: () => {
        const one = () =>
          guest.login({ body: { email: 'nobody@example.com', password: 'wrong-password-1' } });
        return Promise.allSettled(Array.from({ length: FRUITLESS_SIGN_INS }, one));
      },
      heal: async () => undefined,
    },
  ];
}
