import { createLogger } from '../../src/logger/logger';
import { createTemporalLogger } from '../../src/worker/logger';

const ORDER_ID = `ord_${'0'.repeat(32)}`;

/** Returns a logger of the SDK, and what it writes. */
function openLog(logLevel: string) {
  const written: Record<string, unknown>[] = [];
  const write = (line: string) => {
    const {
      time: _time,
      pid: _pid,
      hostname: _hostname,
      ...fields
    } = JSON.parse(line) as Record<string, unknown>;
    written.push(fields);
  };
  const logger = createLogger({ env: 'production', logLevel }, { write });
  return { logger, temporal: createTemporalLogger(logger), written };
}

it('writes what the SDK, workflows and activities log, but no arguments of activities', () => {
  const { temporal, written } = openLog('info');
  temporal.info('started');
  temporal.warn('slow', {
    task: { input: 'pm_card_visa' },
    taskEncoded: 'cG0=',
    taskToken: 'dG9r',
    options: {},
  });
  temporal.error('failed', { error: new TypeError('not so') });
  temporal.debug('polled');
  expect(written).toMatchObject([
    { level: 'info', msg: 'started' },
    { level: 'warn', msg: 'slow' },
    { level: 'error', msg: 'failed', error: { type: 'TypeError', message: 'not so' } },
  ]);
  expect(JSON.stringify(written)).not.toMatch(/pm_card|cG0|dG9r|options/);
});

it('names what a line is about as all lines do', () => {
  const { temporal, written } = openLog('info');
  const workflowId = `order-${ORDER_ID}`;
  const attempt = { workflowId, workflowRunId: 'r1', activityType: 'placeOrder', attempt: 2 };
  temporal.warn('Activity failed', attempt);
  temporal.info('order placed', { workflowId, runId: 'r1' });
  temporal.info('carts swept', { workflowId: 'carts' });
  expect(written).toEqual([
    {
      level: 'warn',
      msg: 'Activity failed',
      orderId: ORDER_ID,
      workflowId,
      runId: 'r1',
      activity: 'placeOrder',
      attempt: 2,
    },
    { level: 'info', msg: 'order placed', orderId: ORDER_ID, workflowId, runId: 'r1' },
    { level: 'info', msg: 'carts swept', workflowId: 'carts' },
  ]);
});

it('follows the level of the log, but never writes the payloads of the level TRACE', () => {
  const { logger, temporal, written } = openLog('info');
  logger.level = 'trace';
  temporal.trace('Got workflow activation', { activation: {} });
  temporal.debug('Activity started');
  logger.level = 'error';
  temporal.warn('slow');
  expect(written).toEqual([{ level: 'debug', msg: 'Activity started' }]);
});

it('leaves out the warning of the queue that has no workflows', () => {
  const { temporal, written } = openLog('info');
  temporal.warn('No workflows registered, not polling for workflow tasks');
  expect(written).toEqual([]);
});
