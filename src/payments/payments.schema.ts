import Joi from 'joi';

export interface SandboxState {
  available: boolean;
}

const available = Joi.boolean()
  .required()
  .description('Whether `pm_sandbox_outage` works; all other payment methods always do')
  .example(true);

export const sandboxBody = Joi.object<SandboxState, true>({ available }).id('PaymentSandboxRequest');

export const sandboxState = Joi.object<SandboxState, true>({ available }).id('PaymentSandbox');

export interface StripeHeaders {
  'stripe-signature': string;
}

export const stripeHeaders = Joi.object<StripeHeaders, true>({
  'stripe-signature': Joi.string()
    .max(10_000)
    .required()
    .description("Stripe's signature of the body, at most five minutes old")
    .example('t=1795384800,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd'),
});

/** The part of an event that is read here. */
export interface StripeEvent {
  id: string;
  type: string;
  /** The API request that caused the event; its key is null when Stripe itself did. */
  request?: { idempotency_key?: string | null } | null;
  data?: {
    object?: {
      id?: string;
      payment_intent?: string | { id: string } | null;
      metadata?: Record<string, string> | null;
    };
  };
}

/** Stripe adds fields and types of events at any time, so nothing else is required. */
export const stripeEvent = Joi.object<StripeEvent>({
  id: Joi.string().required(),
  type: Joi.string().required(),
})
  .unknown(true)
  .id('StripeEvent')
  .description('An event in the format of https://docs.stripe.com/api/events')
  .example({
    id: 'evt_1QxYzK2eZvKYlo2C0aBcDeFg',
    object: 'event',
    type: 'payment_intent.canceled',
    data: { object: { id: 'pi_3QxYzK2eZvKYlo2C0aBcDeFg', object: 'payment_intent', metadata: {} } },
    request: { id: null, idempotency_key: null },
  });

export const received = Joi.object<{ received: true }, true>({
  received: Joi.boolean().valid(true).required().example(true),
}).id('EventReceived');
