import type { Connection } from 'mongoose';
import type { PaymentRef } from '../../src/domain/payment';
import type { PaymentProvider } from '../../src/payments/payment-provider';
import { createSandboxActions } from '../../src/payments/sandbox/actions';
import { createSandboxDashboard, type DashboardRequest } from '../../src/payments/sandbox/dashboard';
import { createSandboxPaymentModel } from '../../src/payments/sandbox/model';
import { createSandboxProvider } from '../../src/payments/sandbox/provider';
import { createSandboxRepository } from '../../src/payments/sandbox/repository';
import { createStripeProvider } from '../../src/payments/stripe/provider';
import { createStripePaymentRepository } from '../../src/payments/stripe/repository';
import type { FakeStripe } from './stripe/fake-stripe';

/** A payment service, and what customers, people, banks and time do there without a request of ours. */
export interface Service {
  provider: PaymentProvider;
  answer(payment: PaymentRef, how: 'authorise' | 'fail'): Promise<unknown>;
  capture(payment: PaymentRef, amount?: number): Promise<unknown>;
  refund(payment: PaymentRef, amount?: number): Promise<unknown>;
  failRefund(payment: PaymentRef): Promise<unknown>;
  settleRefund(payment: PaymentRef): Promise<unknown>;
  expire(payment: PaymentRef): Promise<unknown>;
  dispute(payment: PaymentRef, amount?: number): Promise<unknown>;
  closeDispute(payment: PaymentRef, how: 'won' | 'lost'): Promise<unknown>;
  /** The payment service loses the payment. */
  forget(payment: PaymentRef): Promise<unknown>;
  /** The payment was made so long ago, in milliseconds. */
  backdate(payment: PaymentRef, ms: number): Promise<unknown>;
  /** The card whose refunds are pending at first. */
  pendingRefund: string;
}

export function sandboxService(connection: Connection): Service {
  const repository = createSandboxRepository(connection);
  const dashboard = createSandboxDashboard(repository);
  const actions = createSandboxActions(repository);
  const doing =
    (operation: DashboardRequest['operation']) =>
    ({ key }: PaymentRef, amount?: number) =>
      dashboard.operate(key, { operation, amount });
  return {
    provider: createSandboxProvider({ repository }),
    answer: async ({ key }, how) => actions.answer((await repository.find(key))!, how),
    capture: doing('capture'),
    refund: doing('refund'),
    failRefund: doing('fail_refund'),
    settleRefund: doing('settle_refund'),
    expire: doing('expire'),
    dispute: doing('dispute'),
    closeDispute: (payment, how) => doing(how === 'won' ? 'win_dispute' : 'lose_dispute')(payment),
    forget: ({ key }) => createSandboxPaymentModel(connection).deleteOne({ _id: key }),
    backdate: ({ key }, ms) => {
      const at = new Date(Date.now() - ms);
      return createSandboxPaymentModel(connection).updateOne({ _id: key }, { 'operations.0.at': at });
    },
    pendingRefund: 'pm_card_pendingRefund',
  };
}

export function stripeService(connection: Connection, fake: FakeStripe): Service {
  const payments = createStripePaymentRepository(connection);
  const { elsewhere, intents, refunds, disputes } = fake;
  const idOf = ({ key }: PaymentRef) =>
    [...intents.values()].find(({ metadata }) => metadata.key === key)!.id;
  const lastOf = <T extends { payment_intent: string }>(all: T[], payment: PaymentRef) =>
    all.find(({ payment_intent }) => payment_intent === idOf(payment))!;
  return {
    provider: createStripeProvider({ stripe: fake.client, payments, multicapture: true }),
    answer: async (payment, how) => elsewhere.answer(idOf(payment), how),
    capture: async (payment, amount) => elsewhere.capture(idOf(payment), amount),
    refund: async (payment, amount) => elsewhere.refund(idOf(payment), amount),
    failRefund: async (payment) => elsewhere.endRefund(lastOf(refunds, payment).id, 'failed'),
    settleRefund: async (payment) => elsewhere.endRefund(lastOf(refunds, payment).id, 'succeeded'),
    expire: async (payment) => elsewhere.expire(idOf(payment)),
    dispute: async (payment, amount) => elsewhere.dispute(idOf(payment), { amount }),
    closeDispute: async (payment, how) => elsewhere.closeDispute(lastOf(disputes, payment).id, how),
    forget: async (payment) => fake.intents.delete(idOf(payment)),
    backdate: async (payment, ms) => void (fake.intents.get(idOf(payment))!.created -= ms / 1_000),
    pendingRefund: 'pm_refund_pending',
  };
}
