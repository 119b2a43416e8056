import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import { CUSTOMER_ABSENT, type Authorization } from '../../domain/payment';
import { amountNotAccepted, cardAmountProblem } from '../amounts';
import type { SandboxOperation } from './model';
import { asksCustomer, declineReasonOf } from './payment-methods';
import type { SandboxPayment } from './repository';

/** Returns the payment as the bank decides on it: authorised, declined, or waiting for its customer. */
export function decidedPayment(authorization: Authorization, actionTtlMs: number): SandboxPayment {
  const { amount, currency, paymentMethod, isOnSession = false } = authorization;
  const asks = asksCustomer(paymentMethod, authorization);
  const reason =
    cardAmountProblem(amount, currency) === null
      ? (declineReasonOf(paymentMethod) ?? (asks && !isOnSession ? CUSTOMER_ABSENT : null))
      : amountNotAccepted(authorization);
  if (reason !== null) return declined(authorization, reason);
  return asks ? waiting(authorization, actionTtlMs) : authorized(authorization);
}

/** Returns a payment that only closes its key, so that a later authorisation is rejected. */
export function neverAuthorized(voidKey: string, authorization: Authorization): SandboxPayment {
  return { ...newPayment(authorization, operationOf(voidKey, 'void', 0)), status: 'voided' };
}

function authorized(authorization: Authorization): SandboxPayment {
  const { key, amount } = authorization;
  const operation = operationOf(key, 'authorize', amount);
  return { ...newPayment(authorization, operation), status: 'authorized', authorized: amount, open: amount };
}

function declined(authorization: Authorization, declineReason: string): SandboxPayment {
  const operation = operationOf(authorization.key, 'decline', authorization.amount);
  return { ...newPayment(authorization, operation), status: 'declined', declineReason };
}

function waiting(authorization: Authorization, actionTtlMs: number): SandboxPayment {
  const operation = operationOf(authorization.key, 'require_action', authorization.amount);
  const expiresAt = new Date(operation.at.getTime() + actionTtlMs);
  const action = { id: secret(), nonce: secret(), expiresAt };
  return { ...newPayment(authorization, operation), status: 'action_required', action };
}

function newPayment(
  { key, orderId, amount, currency, paymentMethod }: Authorization,
  operation: SandboxOperation,
): Omit<SandboxPayment, 'status'> {
  return {
    key,
    reference: `sbx_${ulid()}`,
    orderId,
    paymentMethod,
    amount,
    currency,
    authorized: 0,
    open: 0,
    captured: 0,
    voided: 0,
    refunded: 0,
    disputed: 0,
    declineReason: null,
    operations: [operation],
  };
}

function operationOf(key: string, kind: SandboxOperation['kind'], amount: number): SandboxOperation {
  return { key, kind, amount, at: new Date() };
}

/** In digits that the request log takes for no id of ours, so that it leaves them out. */
function secret(): string {
  return randomBytes(24).toString('hex');
}
