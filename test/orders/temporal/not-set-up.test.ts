import { randomBytes } from 'node:crypto';
import { COMMANDS } from '../../../workflows/contract';
import { createOrderWorkflows } from '../../../src/orders/temporal/order-workflows';
import { createTemporalClient, type TemporalClient } from '../../../src/temporal/client';
import { newCommand, orderPolicy } from '../../support/commands';
import { testConfig } from '../../support/config';
import { eventually, HANG_MS } from '../../support/eventually';
import { orderRequest } from '../../support/shop';

const UNUSED = 'nobody-polls';
const request = () => orderRequest({ items: [{ productServiceId: 'ps_x', quantity: 1 }] });

const opened: TemporalClient[] = [];
afterEach(() => Promise.all(opened.splice(0).map((temporal) => temporal.close())));

function open(namespace = testConfig().temporal.namespace): TemporalClient {
  const temporal = createTemporalClient(testConfig({ TEMPORAL_NAMESPACE: namespace }).temporal, {});
  opened.push(temporal);
  return temporal;
}

const workflowsOf = (temporal: TemporalClient) =>
  createOrderWorkflows(temporal, {
    taskQueue: UNUSED,
    policy: orderPolicy(UNUSED),
    timeoutMs: HANG_MS,
    commandTimeoutMs: HANG_MS,
  });
type Workflows = ReturnType<typeof workflowsOf>;

async function newNamespace(): Promise<string> {
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  await open().client.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  return namespace;
}

const note = () => ({ ...newCommand(), note: 'x' });
const starts: [string, (workflows: Workflows) => Promise<unknown>][] = [
  ['placed', ({ place }) => place(request())],
  ['placed without waiting', ({ start }) => start(request())],
  ['changed', ({ execute }) => execute(request(), COMMANDS.amend, note())],
];
const all: typeof starts = [...starts, ['looked for', ({ find }) => find(request().orderId)]];

const refused = (message: RegExp) => ({
  code: 'service_unavailable',
  cause: { message: expect.stringMatching(message) as string },
});
const NO_NAMESPACE = /no namespace nowhere: .*npm run setup/;
const NO_ATTRIBUTES = /lacks search attributes: run npm run setup/;

it.each(all)(
  'an order is not %s while there is no such namespace, and the log says what to do',
  async (_, call) => {
    await expect(call(workflowsOf(open('nowhere')))).rejects.toMatchObject(refused(NO_NAMESPACE));
  },
);

it.each(starts)(
  'an order is not %s while the namespace lacks search attributes, and the log says what to do',
  async (_, call) => {
    const workflows = workflowsOf(open(await newNamespace()));
    // A new namespace takes a moment to become known.
    await eventually(() => expect(call(workflows)).rejects.toMatchObject(refused(NO_ATTRIBUTES)));
  },
);

it('the check of Temporal succeeds for a namespace that is set up', async () => {
  await expect(open().checkHealth()).resolves.toBeUndefined();
});

it('the check of Temporal says what to do if the namespace is missing, or lacks search attributes', async () => {
  await expect(open('nowhere').checkHealth()).rejects.toThrow(NO_NAMESPACE);
  const temporal = open(await newNamespace());
  await eventually(() => expect(temporal.checkHealth()).rejects.toThrow(NO_ATTRIBUTES));
});
