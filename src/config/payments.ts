import Joi, { type CustomHelpers } from 'joi';
import { duration, durationOrZero, isProduction, limit, millisecondsOf } from './rules';
import { section } from './section';

const variables = {
  PAYMENT_PROVIDER: Joi.string<'sandbox' | 'stripe'>()
    .valid('sandbox', 'stripe')
    .when('NODE_ENV', {
      is: 'production',
      then: Joi.required(),
      otherwise: Joi.optional().default('sandbox'),
    })
    .note('`sandbox`; required in production')
    .example('sandbox')
    .description(
      '`sandbox` or `stripe`; the sandbox takes no money, so production has to choose it explicitly',
    )
    .messages({
      'any.required':
        '{#label} must be set in production: "stripe", or "sandbox" for a trial, which takes no money',
    }),
  PAYMENTS_INLINE: Joi.boolean()
    .default(true)
    .description(
      'Whether workers of orders call the payment service themselves while it answers at once; `false` and ' +
        '`PAYMENTS_MAX_PER_SECOND` send every call to the queue `payments`',
    ),
  PAYMENTS_MAX_PER_SECOND: Joi.number<number | undefined>()
    .positive()
    .note('unlimited')
    .example('50')
    .description(
      'Calls per second to the payment service, by all workers together; a reconciliation adds a tenth. The same for API and ' +
        'workers',
    ),
  PAYMENT_ACTION_DEADLINE: duration('30m')
    .tag('worker')
    .description(
      'How long an order keeps its stock while the bank waits for the customer to confirm the payment (`90s`, `30m`, ' +
        '`12h`); the same for all workers',
    ),
  PAYMENT_RETRY_WINDOW: durationOrZero('15m')
    .tag('worker')
    .description(
      'How long another card can be tried after a payment was turned down, with the stock held; `0`: the order is ' +
        'rejected at once; the same for all workers',
    ),
  PAYMENT_SANDBOX_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .replace(/\/+$/, '')
    .default('http://localhost:3000/orders-management-system')
    .tag('worker')
    .description(
      "Base URL of the API as customers' browsers reach it, for the page where they authorise payments in the sandbox",
    ),
  MAX_DECLINES_PER_USER: limit(5).description(
    'Declined payments of a customer within an hour, beyond which their payments are a 429; `0`: no limit',
  ),
  MAX_DECLINES_PER_ADDRESS: limit(10).description(
    'The same of all customers at an IPv4 address or in an IPv6 /64 network; `0`: no limit, for an API that sees only ' +
      'the address of a shop in front of it',
  ),
  MAX_DECLINES_PER_STAFF: limit(100).description(
    'The same of an ADMIN or an API key, who order for many customers, wherever they are; `0`: no limit',
  ),
  MAX_UNPAID_ORDERS: limit(20)
    .tag('worker')
    .description(
      'Orders of a customer that may wait at once for the customer to confirm a payment at the bank or to try another card; ' +
        '`0`: no limit',
    ),
  MAX_UNPAID_UNITS: limit(1_000)
    .tag('worker')
    .description('Units of one product that such orders of a customer may hold together; `0`: no limit'),
  STRIPE_TEST_MODE: Joi.boolean()
    .default(false)
    .tag('worker')
    .description('Whether production may use a test key of Stripe, with which nobody pays'),
  STRIPE_SECRET_KEY: stripeSecret(
    /^[rs]k_(test|live)_\w+$/,
    'sk_live_… or rk_live_…',
    'Developers, API keys in the Stripe dashboard',
  )
    .when('WORKER_QUEUES', {
      is: Joi.array().has('payments').required(),
      then: Joi.when('PAYMENT_PROVIDER', { is: 'stripe', then: Joi.required() }),
    })
    .custom((key: string, helpers: CustomHelpers) =>
      isProduction(helpers) && key.includes('_test_') && !allowsTestKey(helpers)
        ? helpers.error('stripe.test')
        : key,
    )
    .messages({
      'stripe.test':
        '{#label} is a test key, with which nobody pays, and production rejects it: use one that begins with sk_live_ ' +
        'or rk_live_, or set STRIPE_TEST_MODE=true for a trial',
    })
    .tag('worker')
    .example('sk_live_...')
    .description('Calls Stripe; required with `stripe` by workers that serve the queue `payments`'),
  STRIPE_WEBHOOK_SECRET: stripeSecret(
    /^whsec_\S+$/,
    'whsec_…',
    'Developers, Webhooks in the Stripe dashboard',
  )
    .when('PAYMENT_PROVIDER', { is: 'stripe', then: Joi.required() })
    .tag('api')
    .example('whsec_...')
    .description(
      'Verifies the events that Stripe sends to `/payments/stripe/webhook`; required with `stripe`',
    ),
  STRIPE_RETURN_URL: Joi.string<string | undefined>()
    .uri({ scheme: ['http', 'https'] })
    .tag('worker')
    .note("none: the shop's page asks the customer with Stripe's SDK")
    .example('https://shop.example/paid')
    .description(
      'Page of the shop to which banks send customers back who authorised a payment in a browser, with `orderId` in the ' +
        'query; the same for all workers',
    ),
  STRIPE_MULTICAPTURE: Joi.boolean()
    .default(false)
    .tag('worker')
    .description(
      'Whether each shipment captures its own part, with cards that allow it; the Stripe account needs multicapture, ' +
        'which Stripe switches on; the same for all workers',
    ),
};

/** `STRIPE_TEST_MODE` has been read before the key, and false is its default. */
function allowsTestKey({ state }: CustomHelpers): boolean {
  return (state.ancestors[0] as { STRIPE_TEST_MODE?: boolean }).STRIPE_TEST_MODE === true;
}

/** A secret that Stripe gave out; the messages never repeat it. */
function stripeSecret(pattern: RegExp, looks: string, source: string) {
  return Joi.string<string | undefined>()
    .pattern(pattern)
    .messages({
      'string.pattern.base': `{#label} must look like ${looks}: copy it from ${source}`,
      'any.required': `{#label} is required with PAYMENT_PROVIDER=stripe: copy it from ${source}`,
    });
}

interface PaymentsConfig {
  provider: 'sandbox' | 'stripe';
  /** Whether workers of orders may call the payment service themselves. */
  inline: boolean;
  maxPerSecond?: number;
  /** How long orders wait for their customers. */
  policy: { actionDeadlineMs: number; retryWindowMs: number };
  /** Where browsers reach the API; only with the sandbox. */
  sandboxUrl?: string;
  maxDeclines: { perUser: number; perAddress: number; perStaff: number };
  /** Only of workers. */
  maxUnpaid: { orders: number; units: number };
  /** Only with this provider; each process has the secret that it reads. */
  stripe?: { secretKey?: string; webhookSecret?: string; returnUrl?: string; multicapture?: boolean };
}

export const payments = section({
  title: 'Payments',
  readBy: ['api', 'worker'],
  variables,
  config: (env): PaymentsConfig => ({
    provider: env.PAYMENT_PROVIDER,
    inline: env.PAYMENTS_INLINE && env.PAYMENTS_MAX_PER_SECOND === undefined,
    maxPerSecond: env.PAYMENTS_MAX_PER_SECOND,
    policy: {
      actionDeadlineMs: millisecondsOf(env.PAYMENT_ACTION_DEADLINE),
      retryWindowMs: millisecondsOf(env.PAYMENT_RETRY_WINDOW),
    },
    ...(env.PAYMENT_PROVIDER === 'sandbox' && { sandboxUrl: env.PAYMENT_SANDBOX_URL }),
    maxDeclines: {
      perUser: env.MAX_DECLINES_PER_USER,
      perAddress: env.MAX_DECLINES_PER_ADDRESS,
      perStaff: env.MAX_DECLINES_PER_STAFF,
    },
    maxUnpaid: { orders: env.MAX_UNPAID_ORDERS, units: env.MAX_UNPAID_UNITS },
    ...(env.PAYMENT_PROVIDER === 'stripe' && {
      stripe: {
        secretKey: env.STRIPE_SECRET_KEY,
        webhookSecret: env.STRIPE_WEBHOOK_SECRET,
        returnUrl: env.STRIPE_RETURN_URL,
        multicapture: env.STRIPE_MULTICAPTURE,
      },
    }),
  }),
});
