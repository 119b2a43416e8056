import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { PaymentDeclined } from '../../../src/domain/errors';
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

  it('is none outside of a trace', async () => {
    await expect(provider.void('key', payment)).rejects.toThrow('declined');
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
