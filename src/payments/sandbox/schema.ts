import Joi from 'joi';
import type { ListedPayment } from '../../domain/payment';
import { DASHBOARD_OPERATIONS, type DashboardRequest } from './dashboard';

const SECRET = /^[0-9a-f]{48}$/;
const EXAMPLE_SECRET = '4f6c1d3e9b0a4f6c1d3e9b0a4f6c1d3e9b0a4f6c1d3e9b0a';

const text = Joi.string().required();
const minorUnits = Joi.number().integer().min(0).required();

export const actionParams = Joi.object<{ actionId: string }, true>({
  actionId: Joi.string().pattern(SECRET).required().example(EXAMPLE_SECRET),
});

export interface Answer {
  answer: 'authorise' | 'fail';
  nonce: string;
}

export const answerQuery = Joi.object<Answer, true>({
  answer: Joi.string<Answer['answer']>().valid('authorise', 'fail').required().example('authorise'),
  nonce: Joi.string().pattern(SECRET).required().description('From the page').example(EXAMPLE_SECRET),
});

export const html = Joi.string().description('A page for people').example('<!doctype html>…');

/** A key is our own, but any text may be sent: an unknown one is not found. */
export const paymentParams = Joi.object<{ key: string }, true>({
  key: Joi.string()
    .pattern(/^[\w-]{1,200}$/)
    .required()
    .example('ord_5f0c2f0e7a8d4f61b9d3c2a1e0f4b6d8-1'),
});

export const paymentsQuery = Joi.object<{ orderId: string }, true>({
  orderId: Joi.string()
    .pattern(/^[\w-]{1,64}$/)
    .required()
    .example('ord_5f0c2f0e7a8d4f61b9d3c2a1e0f4b6d8'),
});

export const dashboardBody = Joi.object<DashboardRequest, true>({
  operation: Joi.string<DashboardRequest['operation']>()
    .valid(...DASHBOARD_OPERATIONS)
    .required()
    .description(
      '`expire` ends an authorisation, or the wait for the customer; `settle_refund` and `fail_refund` decide on a refund, ' +
        '`win_dispute` and `lose_dispute` on a dispute',
    )
    .example('refund'),
  amount: Joi.number()
    .integer()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .description('Of a capture, a refund or a dispute, in minor units; all that is possible by default')
    .example(600),
  isFinal: Joi.boolean().description('Of a capture: whether the rest is released, which it is by default'),
  id: Joi.string()
    .pattern(/^[\w-]{1,200}$/)
    .description('Of the refund or the dispute that is decided on; the last one by default'),
  reason: Joi.string()
    .pattern(/^[a-z_]{1,40}$/)
    .description("Of a dispute, as Stripe's are called, for example `fraudulent`"),
}).id('SandboxOperationRequest');

const refund = Joi.object({
  key: text,
  amount: minorUnits,
  status: Joi.string().valid('pending', 'succeeded', 'failed').required(),
});

const dispute = Joi.object({
  id: text,
  amount: minorUnits,
  status: Joi.string().valid('opened', 'won', 'lost').required(),
  reason: text,
});

export const sandboxPayment = Joi.object<Omit<ListedPayment, 'action'>, true>({
  key: text.description('Names the payment'),
  orderId: text,
  reference: text.description("The sandbox's own id"),
  paymentMethod: text,
  status: Joi.string<ListedPayment['status']>()
    .valid('action_required', 'authorized', 'captured', 'voided', 'declined')
    .required(),
  amount: minorUnits,
  currency: text,
  authorized: minorUnits,
  captured: minorUnits,
  captures: Joi.string<ListedPayment['captures']>().valid('once', 'many').required(),
  refunds: Joi.array().items(refund).required(),
  disputes: Joi.array().items(dispute).required(),
  declineReason: Joi.string(),
  createdAt: Joi.string().isoDate().required(),
})
  .id('SandboxPayment')
  .example({
    key: 'ord_5f0c2f0e7a8d4f61b9d3c2a1e0f4b6d8-1',
    orderId: 'ord_5f0c2f0e7a8d4f61b9d3c2a1e0f4b6d8',
    reference: 'sbx_01JD3Z7M4Q8XKQ0V5W2N9R6TBC',
    paymentMethod: 'pm_card_visa',
    status: 'captured',
    amount: 4_758,
    currency: 'EUR',
    authorized: 4_758,
    captured: 4_758,
    captures: 'many',
    refunds: [{ key: 'sbx_01JD3Z8P5R9YLR1W6X3P0S7VCD', amount: 600, status: 'succeeded' }],
    disputes: [],
    createdAt: '2026-11-29T08:00:00.000Z',
  });
