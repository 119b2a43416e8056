import type { ProcessEnv } from './process';
import { count, countOrNone, duration, MAX_TIMER_MS, millisecondsOf } from './rules';
import { section, type CheckContext, type EnvOf } from './section';

const variables = {
  PLACE_ORDER_TIMEOUT_MS: count(5_000, MAX_TIMER_MS)
    .unit('ms')
    .tag('api')
    .description('How long `POST /orders` waits for the outcome before it responds with 202'),
  MAX_ORDERS_IN_FLIGHT: countOrNone(200)
    .tag('api')
    .description(
      'How many orders a process places at once at most. Under load it finds out itself how many fewer can be placed in time, ' +
        'and refuses the others with 503; `0` places any number, however long that takes',
    ),
  ORDER_COMMAND_TIMEOUT_MS: count(8_000, MAX_TIMER_MS)
    .unit('ms')
    .tag('api')
    .description(
      'How long a request that changes an order waits for the outcome before it responds with 503',
    ),
  FULFILLMENT_DEADLINE: duration('6d').description(
    'Cancels an order if nothing has been fulfilled within this time (`90s`, `30m`, `12h`, `6d`); card ' +
      'authorizations lapse after 7 days; the same for API and workers',
  ),
  PAYMENT_DEADLINE: duration('1d').description(
    'How long an order keeps its stock while its payment waits to be authorised, because the queue is long or paused, ' +
      'before it is rejected; the same for API and workers',
  ),
  JANITOR_AFTER: duration('5m')
    .tag('worker')
    .description(
      'How long an order whose payment has no outcome may be left as it is, for instance since an operator has terminated ' +
        'its workflow, before it is resumed',
    ),
};

export const orders = section({
  title: 'Orders',
  readBy: ['api', 'worker'],
  variables,
  check(env: EnvOf<typeof variables> & ProcessEnv, { reader }: CheckContext) {
    const longest = Math.max(env.PLACE_ORDER_TIMEOUT_MS, env.ORDER_COMMAND_TIMEOUT_MS);
    return reader === 'api' && env.NODE_ENV === 'production' && env.SHUTDOWN_TIMEOUT_MS < longest
      ? 'SHUTDOWN_TIMEOUT_MS must not be less than PLACE_ORDER_TIMEOUT_MS or ORDER_COMMAND_TIMEOUT_MS: requests ' +
          'would be cut off at every deployment'
      : undefined;
  },
  config: (env) => ({
    placeTimeoutMs: env.PLACE_ORDER_TIMEOUT_MS,
    maxInFlight: env.MAX_ORDERS_IN_FLIGHT,
    commandTimeoutMs: env.ORDER_COMMAND_TIMEOUT_MS,
    fulfillmentDeadlineMs: millisecondsOf(env.FULFILLMENT_DEADLINE),
    paymentDeadlineMs: millisecondsOf(env.PAYMENT_DEADLINE),
    janitorAfterMs: millisecondsOf(env.JANITOR_AFTER),
  }),
});
