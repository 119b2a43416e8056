import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { BusinessError } from '../src/domain/errors';

/**
 * Turns business errors into Temporal failures of the same type that are not retried: another attempt would
 * not change the outcome. Temporal retries everything else that an activity throws.
 */
export const businessFailures: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error;
      const { message, name: type } = error;
      throw ApplicationFailure.create({ message, type, nonRetryable: true, category: 'BENIGN' });
    }
  },
};
