import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { recordedHistories } from '../support/histories';
import { sample } from '../support/sample';
import { installRuntime } from '../support/worker';
import { encodedBundleForTests, WORKFLOWS_PATH } from '../support/workflow-bundle';
import { createWorkflowCoverage } from '../support/workflow-coverage';

const { sinks } = createWorkflowCoverage(); // the bundle counts what it runs
/** What workflows log. */
const logged: string[] = [];
beforeAll(() =>
  installRuntime(
    new DefaultLogger('INFO', ({ message, meta }) => {
      if (meta?.sdkComponent === 'workflow') logged.push(message);
    }),
  ),
);

type Recorded = Awaited<ReturnType<typeof recordedHistories>>;

/** Replays recorded histories. Returns the failure of each, by its name. */
async function replay(
  workflowBundle: WorkflowBundleOption,
  names: readonly string[] = OUTCOMES,
  change: (histories: Recorded) => Recorded = (histories) => histories,
): Promise<Map<string, Error | undefined>> {
  const recorded = change(await recordedHistories());
  const histories = recorded.filter(({ workflowId }) => names === OUTCOMES || names.includes(workflowId));
  const results = new Map<string, Error | undefined>();
  const replayed = Worker.runReplayHistories({ workflowBundle, sinks }, histories as never);
  for await (const { workflowId, error } of replayed) results.set(workflowId, error);
  return results;
}

/** One history for each outcome of an order; a new one is added here when it is recorded. */
const OUTCOMES = [
  'amended-after-an-interruption',
  'amended-at-once',
  'amended-to-fewer',
  'amended-to-more',
  'amendment-of-a-reused-key',
  'amendment-out_of_stock',
  'amendment-payment_declined',
  'another-card-not-tried',
  'audit-log',
  'authorizePayment-retried',
  'cancellation-stuck',
  'cancelled',
  'cancelled-afterwards',
  'cancelled-in-temporal',
  'cancelled-in-temporal-and-owing',
  'cancelled-when-it-belonged-elsewhere',
  'cancelled-when-its-history-was-long',
  'cancelled-while-authorising',
  'capture-refused',
  'carts',
  'closed-short',
  'closed-short-afterwards',
  'compensation-failed-by-hand',
  'compensation-pending',
  'compensation-refused-again',
  'compensation-refused-and-retried',
  'compensation-resolved',
  'compensation-resumed',
  'compensation-retried',
  'completed-and-refunded-at-once',
  'completed-and-refunded-at-once-afterwards',
  'confirmed-by-its-customer',
  'confirmed-by-its-customer-at-once',
  'continued-as-new',
  'continued-from-another-run',
  'declined',
  'delivered-but-the-last',
  'delivered-in-parts',
  'delivery-stuck',
  'erased',
  'erased-after-a-late-order',
  'erasure-continued',
  'erasure-refused',
  'expired',
  'janitor',
  'janitor-on-another-worker',
  'key-reused-for-another-body',
  'key-reused-for-another-body-that-would-be-rejected',
  'moved-by-a-command',
  'moved-by-a-signal',
  'not-paid-without-a-response',
  'openOrder-retried',
  'orders-audit',
  'overdue',
  'owing-when-it-was-cancelled',
  'owing-when-it-was-cancelled-in-temporal',
  'paid-again',
  'paid-back-by-a-retry',
  'paid-with-another-card',
  'paid-without-a-response',
  'payment-action-done',
  'payment-action-expired',
  'payment-action-expired-on-queue',
  'placeOrder-retried',
  'placed',
  'reconciliation-on-another-worker',
  'recordPayment-retried',
  'refunded',
  'refunded-when-completed',
  'refunded-when-completed-afterwards',
  'rejected-amount_too_large',
  'rejected-for-a-reused-key',
  'rejected-mixed_currencies',
  'rejected-out_of_stock',
  'rejected-unknown_product',
  'relay-on-another-worker',
  'relay-superseded',
  'released-when-resumed',
  'resolved-too-late',
  'resumed-and-owing',
  'retention',
  'sent-again',
  'sent-back',
  'webhooks-on-another-worker',
];

/** Those that are replayed with other bundles, too. */
const SOME = sample('workflows/replay: histories for each other bundle', OUTCOMES);

it('replays every recorded history with the current workflow', async () => {
  const results = await replay({ codePath: process.env.TEST_WORKFLOW_BUNDLE! });
  expect([...results.keys()].sort()).toEqual(OUTCOMES);
  expect([...results.values()].filter(Boolean)).toEqual([]);
  expect(logged).toEqual([]); // each has logged its steps when it took them
});

/** Returns the histories as they would be if they had been recorded with tracing on. */
function traced(histories: Recorded): Recorded {
  const payload = {
    metadata: { encoding: base64('json/plain') },
    data: base64('{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'),
  };
  const header = JSON.stringify({ fields: { '_tracer-data': payload } });
  const text = JSON.stringify(histories).replaceAll('"header":{}', `"header":${header}`);
  return JSON.parse(text) as Recorded;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

it('replays every history as if it had been traced', async () => {
  expect(JSON.stringify(traced(await recordedHistories())).split('_tracer-data').length).toBeGreaterThan(500);
  const results = await replay({ codePath: process.env.TEST_WORKFLOW_BUNDLE! }, OUTCOMES, traced);
  expect([...results.values()].filter(Boolean)).toEqual([]);
});

async function replayEncrypted(): Promise<void> {
  const bundle = await encodedBundleForTests();
  try {
    const results = await replay({ codePath: bundle }, SOME);
    expect([...results.values()]).toEqual(SOME.map(() => undefined));
  } finally {
    await rm(dirname(bundle), { recursive: true });
  }
}

/** A run that resumes or continues an order, the workflow of a closed order, maintenance and erasing do not place it. */
const PLACING_NOTHING =
  /-(afterwards|from-another-run|interruption)$|resumed|^(audit-log|carts|eras|janitor|orders-audit|reconciliation|relay|retention|webhooks)/;

async function replayReordered(): Promise<void> {
  const reordered = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    logger: new DefaultLogger('ERROR'),
    webpackConfigHook: (config) => {
      config.resolve!.alias = {
        ...config.resolve!.alias,
        './order.steps$': require.resolve('../support/reordered-steps'),
      };
      return config;
    },
  });
  const results = await replay({ code: reordered.code }, ['placed', ...SOME]);
  for (const [name, error] of results) {
    if (PLACING_NOTHING.test(name)) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ name: 'DeterminismViolationError' });
  }
  expect(results.get('placed')!.message).toContain('openOrder');
}

const OTHERS: [name: string, test: () => Promise<void>][] = [
  [`replays ${SOME.length} recorded histories with the bundle for encrypted payloads`, replayEncrypted],
  ['fails to replay with a workflow whose steps are reordered', replayReordered],
];
for (const [name, test] of sample('workflows/replay: other bundles', OTHERS)) it(name, test);
