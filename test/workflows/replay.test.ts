import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { recordedHistories } from '../support/histories';
import { installRuntime } from '../support/worker';
import { WORKFLOWS_PATH } from '../support/workflow-bundle';

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

it('every recorded history replays with the workflow of today', async () => {
  const results = await replay({ codePath: process.env.TEST_WORKFLOW_BUNDLE! });
  const outcomes = [
    'confirmed',
    'cancelled',
    'cancelled-in-temporal',
    'out_of_stock',
    'openOrder-retried-after',
  ];
  expect([...results.keys()]).toEqual(expect.arrayContaining(outcomes));
  expect([...results.values()].filter(Boolean)).toEqual([]);
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
  for (const error of results.values()) expect(error).toMatchObject({ name: 'DeterminismViolationError' });
  expect(results.get('confirmed')!.message).toContain('openOrder');
});
