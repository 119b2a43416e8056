import type { Compensation, Fulfillment, Order, Refund } from '../domain/order';

/** The fields that the API presents as the domain has them. */
type PresentedAsIs = Pick<
  Order,
  | 'id'
  | 'customerId'
  | 'status'
  | 'paymentStatus'
  | 'fulfillmentStatus'
  | 'items'
  | 'currency'
  | 'subtotal'
  | 'tax'
  | 'total'
  | 'refunded'
  | 'note'
  | 'shippingAddress'
  | 'rejection'
  | 'statusHistory'
  | 'version'
  | 'createdAt'
  | 'updatedAt'
>;

/** An order as the API presents it. The optional fields are for ADMINs only. */
export interface OrderView extends PresentedAsIs {
  fulfillments: FulfillmentView[];
  refunds: RefundView[];
  workflowId: string;
  temporalUrl?: string;
  compensationPending?: boolean;
  compensations?: CompensationView[];
  archivedAt?: string | null;
}

export interface FulfillmentView extends Omit<Fulfillment, 'fingerprint' | 'attemptId' | 'by'> {
  by?: string;
}

export interface RefundView extends Omit<Refund, 'fingerprint' | 'attemptId' | 'by'> {
  by?: string;
}

export interface CompensationView extends Omit<Compensation, 'payment'> {
  amount: number;
  currency: string;
}
