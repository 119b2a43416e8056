import { sendData } from '../http/respond';
import { route, type Route } from '../http/route';
import { Role } from '../role/role';
import * as schema from './payments.schema';
import { createSandboxActions } from './sandbox/actions';
import { createSandboxDashboard } from './sandbox/dashboard';
import type { SandboxRepository } from './sandbox/repository';
import { sandboxServiceRoutes } from './sandbox/routes';
import type { LookAgain } from './payment-provider';
import type { StripeWebhookService } from './stripe/webhook';

const TAG = 'Payments';
const SANDBOX_PATH = '/payments/sandbox';

export interface PaymentRoutesDeps {
  /** Given when the sandbox is the payment service. */
  sandbox?: { repository: SandboxRepository; lookAgain: LookAgain };
  /** Given when Stripe is the payment service and the secret of its webhook is configured. */
  webhook?: StripeWebhookService;
}

/** Returns the routes that the configured payment service needs. */
export function paymentRoutes({ sandbox, webhook }: PaymentRoutesDeps): Route[] {
  return [...(sandbox ? sandboxRoutes(sandbox) : []), ...(webhook ? [stripeWebhookRoute(webhook)] : [])];
}

function sandboxRoutes({ repository, lookAgain }: NonNullable<PaymentRoutesDeps['sandbox']>): Route[] {
  const description = 'Available only when the sandbox is the payment service.';
  return [
    route({
      method: 'get',
      path: SANDBOX_PATH,
      role: Role.ADMIN,
      operationId: 'getPaymentSandbox',
      summary: 'Read the test switch of the payment sandbox',
      description,
      tag: TAG,
      responses: { 200: { description: 'The switch', data: schema.sandboxState } },
      errors: [],
      handler: async (ctx) => sendData(ctx, 200, { available: await repository.isAvailable() }),
    }),
    route({
      method: 'put',
      path: SANDBOX_PATH,
      role: Role.ADMIN,
      operationId: 'setPaymentSandbox',
      summary: 'Switch the payment method `pm_sandbox_outage` on or off',
      description: `It is off initially: orders paid with it wait until it is switched on. ${description}`,
      tag: TAG,
      body: schema.sandboxBody,
      responses: { 200: { description: 'The new state of the switch', data: schema.sandboxState } },
      errors: [],
      async handler(ctx, { body: { available } }) {
        ctx.state.logFields = { available };
        await repository.setAvailable(available);
        sendData(ctx, 200, { available });
      },
    }),
    ...sandboxServiceRoutes({
      actions: createSandboxActions(repository),
      dashboard: createSandboxDashboard(repository),
      lookAgain,
    }),
  ];
}

function stripeWebhookRoute(webhook: StripeWebhookService): Route {
  return route({
    method: 'post',
    path: '/payments/stripe/webhook',
    role: Role.PUBLIC,
    operationId: 'receiveStripeEvent',
    summary: 'Receive an event from Stripe',
    description:
      'For Stripe only: the signature is verified. The event is not believed: its order is brought in line with what ' +
      'Stripe says of the payment. While the order is being placed or changed, the response is 503 and Stripe sends the ' +
      'event again.',
    tag: TAG,
    headers: schema.stripeHeaders,
    body: schema.stripeEvent,
    responses: { 200: { description: 'The event is handled or not relevant', data: schema.received } },
    errors: ['service_unavailable'],
    async handler(ctx, { headers, body: event }) {
      const payload = ctx.request.rawBody;
      await webhook.receive({ payload, signature: headers['stripe-signature'], event, log: ctx.state.log });
      ctx.state.logFields = { eventId: event.id, eventType: event.type }; // verified to be Stripe's by now
      sendData(ctx, 200, { received: true });
    },
  });
}
