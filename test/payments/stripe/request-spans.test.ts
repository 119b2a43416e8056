import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { PaymentDeclined } from '../../../src/domain/errors';
import type { PaymentProvider } from '../../../src/payments/payment-provider';
import { tracedProvider } from '../../../src/payments/traced-provider';
import { inSpan } from '../../../src/tracing/spans';
import { startFakeStripe, type FakeStripe } from './fake-stripe';

const exporter = new InMemorySpanExporter();
const tracing = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
let stripe: FakeStripe;

beforeAll(async () => {
  tracing.register({ propagator: null });
  stripe = await startFakeStripe();
});
afterEach(() => exporter.reset());
afterAll(async () => {
  await stripe.close();
  await tracing.shutdown();
});

it('a request to Stripe is a span below the work that makes it, without its query', async () => {
  await inSpan('work', {}, () => stripe.client.refunds.list({ limit: 42 }));
  const work = exporter.getFinishedSpans().find(({ name }) => name === 'work')!;
  const below = exporter
    .getFinishedSpans()
    .find(({ parentSpanContext }) => parentSpanContext?.spanId === work.spanContext().spanId)!;
  expect(below).toMatchObject({
    name: 'GET',
    attributes: {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'url.full': 'https://127.0.0.1/v1/refunds',
    },
  });
});

it('a request that Stripe refuses is an error, of which only the status is told', async () => {
  const missing = stripe.client.paymentIntents.retrieve('pi_missing');
  await expect(missing).rejects.toThrow();
  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({ attributes: { 'error.type': '404' }, status: { code: 2 } });
  expect(span!.status.message).toBeUndefined();
});

describe('an operation of the payment provider', () => {
  const refuse = async () => {
    throw new PaymentDeclined('Your card was declined.');
  };
  const provider = tracedProvider({
    name: 'sandbox',
    captures: 'many',
    void: refuse,
  } as never);
  const payment = { orderId: 'ord_1' } as never;

  it('is a span that says for which order, and takes a decline for an answer', async () => {
    await expect(inSpan('work', {}, () => provider.void('key', payment))).rejects.toThrow('declined');
    expect(exporter.getFinishedSpans()[0]).toMatchObject({
      name: 'payment void',
      attributes: {
        'payment.provider': 'sandbox',
        'payment.operation': 'void',
        'order.id': 'ord_1',
        'error.type': 'PaymentDeclined',
      },
      status: { code: 0 },
    });
  });

  it.each([
    ['authorize', (traced: PaymentProvider) => traced.authorize(payment)],
    ['capture', (traced: PaymentProvider) => traced.capture('key', payment, {} as never)],
    ['release', (traced: PaymentProvider) => traced.release('key', payment)],
    ['void', (traced: PaymentProvider) => traced.void('key', payment)],
    ['refund', (traced: PaymentProvider) => traced.refund('key', payment, 100)],
    ['find', (traced: PaymentProvider) => traced.find(payment)],
    ['list', (traced: PaymentProvider) => traced.list({} as never), {}],
  ])('%s is done, and is a span by that name', async (operation, call, order = { 'order.id': 'ord_1' }) => {
    const answer = { done: operation };
    const done = tracedProvider({ name: 'sandbox', [operation]: async () => answer } as never);
    expect(await inSpan('work', {}, async () => call(done))).toBe(answer);
    const { name, attributes } = exporter.getFinishedSpans()[0]!;
    const expected = { 'payment.provider': 'sandbox', 'payment.operation': operation, ...order };
    expect({ name, attributes }).toEqual({ name: `payment ${operation}`, attributes: expected });
  });

  it('is none outside of a trace', async () => {
    await expect(provider.void('key', payment)).rejects.toThrow('declined');
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
