import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** The part that the first argument of every activity for an order has. */
interface Subject {
  orderId?: string;
  userId?: string;
  requestId?: string;
}

/** Adds the id of the order or the user, and the request id, to every log line of an activity, including those of the SDK. */
export const logFields: ActivityInterceptorsFactory = () => {
  let fields: Record<string, unknown> = {};
  return {
    inbound: {
      execute(input, next) {
        const { orderId, userId, requestId } = (input.args[0] ?? {}) as Subject;
        const isOfOne = orderId !== undefined || userId !== undefined;
        fields = {
          ...(orderId !== undefined && { orderId }),
          ...(userId !== undefined && { userId }),
          ...(isOfOne && { requestId }),
        };
        return next(input);
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...fields }) },
  };
};
