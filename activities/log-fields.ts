import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** What every activity takes first: a request or a payment has an `orderId`, an order is one. */
interface Subject {
  id?: string;
  orderId?: string;
  requestId: string;
}

/** Puts the order id and the request id on every log line of an activity, those of the SDK included. */
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
