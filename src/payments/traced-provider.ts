import { SpanKind } from '@opentelemetry/api';
import { BusinessError } from '../domain/errors';
import { currentSpan, inSpan } from '../tracing/spans';
import type { PaymentProvider } from './payment-provider';

/**
 * Returns the provider with each operation of an order in a span; a definite no is an answer and no error. What looks after all
 * payments is not traced, and has no span around it.
 */
export function tracedProvider(provider: PaymentProvider): PaymentProvider {
  function traced<T>(operation: string, orderId: string | undefined, call: () => Promise<T>): Promise<T> {
    if (!currentSpan()) return call();
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
