import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { OrderRequest } from '../src/domain/order';

/** Puts the order id and the request id on every log line of an activity, those of the SDK included. */
export const logFields: ActivityInterceptorsFactory = () => {
  let fields: Record<string, unknown> = {};
  return {
    inbound: {
      execute(input, next) {
        const [request] = input.args as [OrderRequest];
        fields = { orderId: request.orderId, requestId: request.requestId };
        return next(input);
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...fields }) },
  };
};
