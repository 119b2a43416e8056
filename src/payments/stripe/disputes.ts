import type { ProviderDispute } from '../../domain/payment';
import { fromStripeAmount } from '../amounts';
import type { Dispute } from './requests';

/** Stripe's statuses in our terms. An inquiry (`warning_…`) or a prevented dispute takes no money, so it is none yet. */
const STATUSES: Readonly<Record<string, ProviderDispute['status']>> = {
  needs_response: 'opened',
  under_review: 'opened',
  appeal_needs_response: 'opened',
  appeal_under_review: 'opened',
  won: 'won',
  lost: 'lost',
};

export function presentDisputes(disputes: Dispute[]): ProviderDispute[] {
  return disputes.flatMap(({ id, amount, currency, reason, status }) => {
    const ours = STATUSES[status];
    if (ours === undefined) return [];
    return [{ id, amount: fromStripeAmount(amount, currency.toUpperCase()), status: ours, reason }];
  });
}
