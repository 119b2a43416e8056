import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** The parts of the first argument of an activity that say what it is for. */
const SUBJECTS = ['orderId', 'userId', 'deliveryId', 'endpointId'] as const;

/**
 * Adds what an activity is for, and the id of the request that led to it, to every line that it logs, including those of the
 * SDK.
 */
export const logFields: ActivityInterceptorsFactory = () => {
  let fields: Record<string, unknown> = {};
  return {
    inbound: {
      execute(input, next) {
        const argument = (input.args[0] ?? {}) as Record<string, unknown>;
        const subjects = SUBJECTS.filter((name) => argument[name] !== undefined);
        const names = subjects.length > 0 ? [...subjects, 'requestId'] : [];
        fields = Object.fromEntries(names.map((name) => [name, argument[name]]));
        return next(input);
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...fields }) },
  };
};
