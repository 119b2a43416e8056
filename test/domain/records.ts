import fc from 'fast-check';
import { refundedOf, type ProviderPayment, type ProviderRefund } from '../../src/domain/payment';

/** The amount of the payment of `orderIn()`. */
export const TOTAL = 3_000;

/** Returns the payment service's record of the payment of `orderIn()`. */
export const recordOf = (fields: Partial<ProviderPayment> = {}): ProviderPayment => ({
  key: 'ord_1-1',
  reference: 'pi_1',
  status: 'authorized',
  amount: TOTAL,
  currency: 'EUR',
  authorized: TOTAL,
  captured: 0,
  captures: 'once',
  refunds: [],
  disputes: [],
  ...fields,
});

/** What happens to a payment at the payment service. Amounts are shares of what there is, in percent. */
export type Happening =
  | { what: 'capture' | 'refund' | 'dispute'; share: number }
  | { what: 'refund settles' | 'refund fails' | 'expires' | 'dispute is won' | 'dispute is lost' };

export const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    what: fc.constantFrom('capture', 'refund', 'dispute'),
    share: fc.integer({ min: 1, max: 100 }),
  }),
  fc.record({
    what: fc.constantFrom('refund settles', 'refund fails', 'expires', 'dispute is won', 'dispute is lost'),
  }),
);

export function happen(record: ProviderPayment, one: Happening, n: number): ProviderPayment {
  const { status, captured, refunds, disputes } = record;
  const decided = (from: ProviderRefund['status'][], to: ProviderRefund['status']) => {
    const index = refunds.findIndex((refund) => from.includes(refund.status));
    return {
      ...record,
      refunds: refunds.map((refund, m) => (m === index ? { ...refund, status: to } : refund)),
    };
  };
  switch (one.what) {
    case 'capture':
      if (status !== 'authorized') return record;
      return { ...record, status: 'captured', captured: Math.ceil((TOTAL * one.share) / 100) };
    case 'refund': {
      const amount = Math.floor(((captured - refundedOf(record)) * one.share) / 100);
      if (amount === 0) return record;
      return { ...record, refunds: [...refunds, { key: `re_${n}`, amount, status: 'pending' }] };
    }
    case 'refund settles':
      return decided(['pending'], 'succeeded');
    case 'refund fails':
      return decided(['pending', 'succeeded'], 'failed');
    case 'expires':
      return status === 'authorized' ? { ...record, status: 'voided' } : record;
    case 'dispute': {
      if (captured === 0 || disputes.length > 0) return record;
      const amount = Math.ceil((captured * one.share) / 100);
      return { ...record, disputes: [{ id: 'dp_1', amount, status: 'opened', reason: 'general' }] };
    }
    case 'dispute is won':
    case 'dispute is lost': {
      const to = one.what === 'dispute is won' ? 'won' : 'lost';
      return {
        ...record,
        disputes: disputes.map((dispute) =>
          dispute.status === 'opened' ? { ...dispute, status: to } : dispute,
        ),
      };
    }
  }
}
