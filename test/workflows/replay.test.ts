import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { recordedHistories } from '../support/histories';
import { installRuntime } from '../support/worker';
import { encodedBundleForTests, WORKFLOWS_PATH } from '../support/workflow-bundle';

const { sinks } = new WorkflowCoverage(); // the bundle counts what it runs
beforeAll(installRuntime);

/** Replays every recorded history; the failure of each, by its name. */
async function replay(workflowBundle: WorkflowBundleOption): Promise<Map<string, Error | undefined>> {
  const histories = await recordedHistories();
  const results = new Map<string, Error | undefined>();
  const replayed = Worker.runReplayHistories({ workflowBundle, sinks }, histories as never);
  for await (const { workflowId, error } of replayed) results.set(workflowId, error);
  return results;
}

/** One of each way in which an order may go; a new one is added here when it is recorded. */
const OUTCOMES = [
  'amended-after-an-interruption',
  'amended-to-fewer',
  'amended-to-more',
  'amendment-of-a-reused-key',
  'amendment-out_of_stock',
  'amendment-payment_declined',
  'amount_too_large',
  'cancellation-stuck',
  'cancellation-stuck-2',
  'cancelled',
  'cancelled-afterwards',
  'cancelled-at-confirmOrder',
  'cancelled-at-openOrder',
  'cancelled-at-priceOrder',
  'cancelled-in-temporal',
  'cancelled-in-temporal-and-owing',
  'capture-refused',
  'compensation-pending',
  'compensation-refused',
  'compensation-refused-again',
  'compensation-refused-and-retried',
  'compensation-refused-and-retried-2',
  'compensation-resolved',
  'compensation-retried',
  'compensation-retried-2',
  'compensation-taken-up-again',
  'confirmOrder-refused-before',
  'confirmOrder-retried-after',
  'confirmOrder-retried-before',
  'confirmed',
  'continued-as-new',
  'continued-from-another-run',
  'declined',
  'delivered-but-the-last',
  'delivered-in-parts',
  'delivery-stuck',
  'delivery-stuck-2',
  'expired',
  'key-reused-for-another-body',
  'key-reused-for-another-body-that-would-be-rejected',
  'mixed_currencies',
  'not-paid-without-an-answer',
  'openOrder-refused-after',
  'openOrder-refused-before',
  'openOrder-retried-after',
  'openOrder-retried-before',
  'out_of_stock',
  'owing-when-it-was-cancelled',
  'owing-when-it-was-cancelled-in-Temporal',
  'paid-amount_too_large',
  'paid-cancelled',
  'paid-cancelled-in-temporal',
  'paid-cancelled-while-authorising',
  'paid-confirmed',
  'paid-key-reused-for-another-body',
  'paid-key-reused-for-another-body-that-would-be-rejected',
  'paid-mixed_currencies',
  'paid-out_of_stock',
  'paid-unknown_product',
  'paid-without-an-answer',
  'placed',
  'priceOrder-refused-after',
  'priceOrder-refused-before',
  'priceOrder-retried-after',
  'priceOrder-retried-before',
  'refunded',
  'refunded-when-completed',
  'refunded-when-completed-afterwards',
  'rejected-for-a-reused-key',
  'resolved-too-late',
  'taken-up-again',
  'taken-up-again-and-void',
  'unknown_product',
];

it('every recorded history replays with the workflow of today', async () => {
  const results = await replay({ codePath: process.env.TEST_WORKFLOW_BUNDLE! });
  expect([...results.keys()].sort()).toEqual(OUTCOMES);
  expect([...results.values()].filter(Boolean)).toEqual([]);
});

it('every recorded history replays with the bundle that goes with encrypted payloads', async () => {
  const bundle = await encodedBundleForTests();
  try {
    const results = await replay({ codePath: bundle });
    expect([...results.values()]).toEqual(OUTCOMES.map(() => undefined));
  } finally {
    await rm(dirname(bundle), { recursive: true });
  }
});

it('a workflow whose steps are in another order does not replay', async () => {
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
  const results = await replay({ code: reordered.code });
  for (const [name, error] of results) {
    // Neither a closed order's workflow nor a run that continues another prices or opens the order.
    if (/-(afterwards|from-another-run)$/.test(name)) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ name: 'DeterminismViolationError' });
  }
  expect(results.get('confirmed')!.message).toContain('openOrder');
});
