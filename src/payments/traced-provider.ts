import { SpanKind } from '@opentelemetry/api';
import { BusinessError } from '../domain/errors';
import { inSpan } from '../tracing/spans';
import type { PaymentProvider } from './payment-provider';

/** Returns the provider with each of its operations in a span; a definite no is an answer and no error. */
export function tracedProvider(provider: PaymentProvider): PaymentProvider {
  function traced<T>(operation: string, orderId: string | undefined, call: () => Promise<T>): Promise<T> {
    const attributes = {
      'payment.provider': provider.name,
      'payment.operation': operation,
      ...(orderId !== undefined && { 'order.id': orderId }),
    };
    const isAnswer = (error: unknown) => error instanceof BusinessError;
    return inSpan(`payment ${operation}`, { kind: SpanKind.CLIENT, attributes }, call, isAnswer);
  }
  return {
    name: provider.name,
    captures: provider.captures,
    authorize: (authorization) =>
      traced('authorize', authorization.orderId, () => provider.authorize(authorization)),
    capture: (key, payment, capture) =>
      traced('capture', payment.orderId, () => provider.capture(key, payment, capture)),
    release: (key, payment) => traced('release', payment.orderId, () => provider.release(key, payment)),
    void: (key, payment) => traced('void', payment.orderId, () => provider.void(key, payment)),
    refund: (key, payment, amount) =>
      traced('refund', payment.orderId, () => provider.refund(key, payment, amount)),
    find: (payment) => traced('find', payment.orderId, () => provider.find(payment)),
    list: (request) => traced('list', undefined, () => provider.list(request)),
  };
}
