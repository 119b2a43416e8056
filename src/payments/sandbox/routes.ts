import type { Logger } from 'pino';
import { PaymentRefused } from '../../domain/errors';
import { AppError } from '../../errors/app-error';
import type { Context } from '../../http/context';
import { sendData, sendPage } from '../../http/respond';
import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import type { LookAgain } from '../payment-provider';
import type { SandboxActions } from './actions';
import type { SandboxDashboard } from './dashboard';
import { actionPage, PAGE_PATH } from './page';
import { presentListed } from './present';
import type { SandboxPayment } from './repository';
import * as schema from './schema';

const TAG = 'Payments';
const PAYMENTS_PATH = '/payments/sandbox/payments';
const DESCRIPTION = 'Available only when the sandbox is the payment service.';
const MAX_PAYMENTS = 100;

export interface SandboxRoutesDeps {
  actions: SandboxActions;
  dashboard: SandboxDashboard;
  /** Told of all that happens here, as a real payment service tells by its events. */
  lookAgain: LookAgain;
}

/** The sandbox's page for customers, and its dashboard. */
export function sandboxServiceRoutes({ actions, dashboard, lookAgain }: SandboxRoutesDeps): Route[] {
  /** If the order cannot be looked at now, its own questions find out later. */
  async function tell({ key, orderId, operations }: SandboxPayment, log: Logger): Promise<void> {
    const { key: eventId, kind: type } = operations.at(-1)!;
    try {
      await lookAgain({ eventId, type, paymentKey: key, orderId });
    } catch (err) {
      log.warn({ err, orderId, paymentKey: key }, 'the order of a payment could not be looked at again');
    }
  }

  async function waiting(actionId: string): Promise<SandboxPayment> {
    const payment = await actions.find(actionId);
    if (payment) return payment;
    throw new AppError('not_found', 'There is no payment to authorise here: use the address as you got it.');
  }

  return [
    route({
      method: 'get',
      path: `${PAGE_PATH}/:actionId`,
      role: Role.PUBLIC,
      operationId: 'showSandboxAction',
      summary: 'Show the page where a customer authorises a payment',
      description: `The \`redirectUrl\` of an order's \`paymentAction\`. ${DESCRIPTION}`,
      tag: TAG,
      params: schema.actionParams,
      responses: { 200: { description: 'The page', data: schema.html, mediaType: 'text/html' } },
      errors: ['not_found'],
      async handler(ctx, { params: { actionId } }) {
        sendHtml(ctx, actionPage(await waiting(actionId)));
      },
    }),
    route({
      method: 'post',
      path: `${PAGE_PATH}/:actionId`,
      role: Role.PUBLIC,
      operationId: 'answerSandboxAction',
      summary: 'Authorise a payment, or fail to',
      description: `Sent by the page, and only from there: \`nonce\` is in it. ${DESCRIPTION}`,
      tag: TAG,
      params: schema.actionParams,
      query: schema.answerQuery,
      responses: {
        303: { description: 'Answered', headers: { Location: 'The page, which shows the outcome' } },
      },
      errors: ['not_found', 'forbidden'],
      async handler(ctx, { params: { actionId }, query: { answer, nonce } }) {
        const payment = await waiting(actionId);
        if (payment.action!.nonce !== nonce)
          throw new AppError('forbidden', 'This was not sent by the page: open the page, and answer there.');
        await tell(await actions.answer(payment, answer), ctx.state.log);
        ctx.body = null;
        ctx.status = 303;
        ctx.set('Location', actionId); // relative to this path
      },
    }),
    route({
      method: 'get',
      path: PAYMENTS_PATH,
      role: Role.ADMIN,
      operationId: 'listSandboxPayments',
      summary: "List an order's payments in the sandbox, the oldest first",
      description: DESCRIPTION,
      tag: TAG,
      query: schema.paymentsQuery,
      responses: { 200: { description: 'The payments', data: schema.sandboxPayment, list: true } },
      errors: [],
      async handler(ctx, { query: { orderId } }) {
        const payments = await dashboard.paymentsOf(orderId);
        sendPage(ctx, payments.slice(0, MAX_PAYMENTS).map(presentListed), {
          limit: MAX_PAYMENTS,
          nextCursor: null,
        });
      },
    }),
    route({
      method: 'post',
      path: `${PAYMENTS_PATH}/:key/operations`,
      role: Role.ADMIN,
      operationId: 'operateSandboxPayment',
      summary: "Do what people, banks and time do to a payment at a payment service's own",
      description:
        'The order hears of it as of an event of a real payment service, and shows it as done by `provider`. ' +
        DESCRIPTION,
      tag: TAG,
      params: schema.paymentParams,
      body: schema.dashboardBody,
      responses: { 200: { description: 'The payment after that', data: schema.sandboxPayment } },
      errors: ['not_found', 'invalid_transition'],
      async handler(ctx, { params: { key }, body }) {
        const payment = await dashboard.operate(key, body).catch(asProblem);
        if (!payment) throw new AppError('not_found', 'There is no payment with this key in the sandbox.');
        ctx.state.logFields = { operation: body.operation, paymentKey: payment.key };
        await tell(payment, ctx.state.log);
        sendData(ctx, 200, presentListed(payment));
      },
    }),
  ];
}

function sendHtml(ctx: Context, body: string): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/html';
  ctx.body = body;
}

function asProblem(error: unknown): never {
  throw error instanceof PaymentRefused ? new AppError('invalid_transition', error.message) : error;
}
