import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** The part that the first argument of every activity for an order has. */
interface Subject {
  orderId?: string;
  requestId?: string;
}

/** Adds the order id and the request id to every log line of an activity, including those of the SDK. */
export const logFields: ActivityInterceptorsFactory = () => {
  let fields: Record<string, unknown> = {};
  return {
    inbound: {
      execute(input, next) {
        const { orderId, requestId } = (input.args[0] ?? {}) as Subject;
        fields = orderId === undefined ? {} : { orderId, requestId };
        return next(input);
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...fields }) },
  };
};
