import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** The first argument of every activity: a request or a payment with an `orderId`, or an order. */
interface Subject {
  id?: string;
  orderId?: string;
  requestId: string;
}

/** Adds the order id and the request id to every log line of an activity, including those of the SDK. */
export const logFields: ActivityInterceptorsFactory = () => {
  let fields: Record<string, unknown> = {};
  return {
    inbound: {
      execute(input, next) {
        const { id, orderId = id, requestId } = input.args[0] as Subject;
        fields = { orderId, requestId };
        return next(input);
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...fields }) },
  };
};
