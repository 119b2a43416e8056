import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { BusinessError } from '../src/domain/errors';

/**
 * Turns the domain's refusals into Temporal failures of the same type that are not tried again: asking again would
 * not change the answer. Everything else that an activity throws is tried again without limit.
 */
export const businessAnswers: ActivityInboundCallsInterceptor = {
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
