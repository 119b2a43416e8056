import { ulid } from 'ulid';
import type { Authorization } from '../../domain/payment';
import type { SandboxMove, SandboxPayment } from './repository';

export type Operation = SandboxMove['operation'];

export function authorized(authorization: Authorization): SandboxPayment {
  const { key, amount } = authorization;
  const operation = operationOf(key, 'authorize', amount);
  return {
    ...newPayment(authorization, operation),
    status: 'authorized',
    authorized: amount,
    open: amount,
  };
}

export function declined(authorization: Authorization, declineReason: string): SandboxPayment {
  const operation = operationOf(authorization.key, 'decline', authorization.amount);
  return { ...newPayment(authorization, operation), status: 'declined', declineReason };
}

/** Closes the key, so that an authorisation that comes late is refused. */
export function neverAuthorized(voidKey: string, authorization: Authorization): SandboxPayment {
  return { ...newPayment(authorization, operationOf(voidKey, 'void', 0)), status: 'voided' };
}

function newPayment(
  { key, orderId, amount, currency, paymentMethod }: Authorization,
  operation: Operation,
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
    declineReason: null,
    operations: [operation],
  };
}

export function operationOf(key: string, kind: Operation['kind'], amount: number): Operation {
  return { key, kind, amount, at: new Date() };
}
