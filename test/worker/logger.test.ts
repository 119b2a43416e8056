import type { Logger } from 'pino';
import { createTemporalLogger } from '../../src/worker/logger';

function loggerInto(written: unknown[][]): Logger {
  const at = (level: string) => (fields: object, message: string) =>
    void written.push([level, fields, message]);
  const [info, warn, error] = ['info', 'warn', 'error'].map(at);
  return { info, warn, error } as unknown as Logger;
}

it('writes what the SDK, workflows and activities log, but no arguments of activities', () => {
  const written: unknown[][] = [];
  const logger = createTemporalLogger(loggerInto(written));
  logger.info('started');
  logger.warn('slow', { orderId: 'ord_1', task: { input: 'pm_card_visa' }, taskEncoded: 'cG0=' });
  logger.error('failed', { orderId: 'ord_2' });
  logger.debug('polled');
  expect(written).toEqual([
    ['info', {}, 'started'],
    ['warn', { orderId: 'ord_1' }, 'slow'],
    ['error', { orderId: 'ord_2' }, 'failed'],
  ]);
});

it('leaves out the warning of the queue that has no workflows', () => {
  const written: unknown[][] = [];
  createTemporalLogger(loggerInto(written)).warn('No workflows registered, not polling for workflow tasks');
  expect(written).toEqual([]);
});
