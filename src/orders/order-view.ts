import type {
  Compensation,
  Dispute,
  Fulfillment,
  Order,
  OrderItem,
  PaymentAttempt,
  Refund,
} from '../domain/order';
import type { Captures, PaymentAction } from '../domain/payment';

/** The fields that the API presents as the domain has them. */
type PresentedAsIs = Pick<
  Order,
  | 'id'
  | 'number'
  | 'externalRef'
  | 'metadata'
  | 'customerId'
  | 'status'
  | 'paymentStatus'
  | 'fulfillmentStatus'
  | 'currency'
  | 'subtotal'
  | 'tax'
  | 'total'
  | 'cancelled'
  | 'captured'
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
  items: OrderItemView[];
  /** What the order costs without what was cancelled of it. */
  due: number | null;
  captures: Captures;
  fulfillments: FulfillmentView[];
  refunds: RefundView[];
  /** The attempts to pay; empty if the first one was authorised at once. */
  attempts: AttemptView[];
  retryUntil: string | null;
  /** For the customer only. */
  paymentAction?: PaymentActionView;
  workflowId: string;
  temporalUrl?: string;
  traceUrl?: string;
  compensationPending?: boolean;
  compensations?: CompensationView[];
  archivedAt?: string | null;
  disputes?: Dispute[];
  overdueSince?: string | null;
}

/** The units that were lost or came back are bookkeeping of the stock. */
export type OrderItemView = Omit<OrderItem, 'cancelledAmount' | 'restockedQuantity' | 'writtenOffQuantity'>;

export interface FulfillmentView extends Omit<Fulfillment, 'fingerprint' | 'attemptId' | 'by' | 'undone'> {
  by?: string;
}

export type PaymentActionView = PaymentAction & Required<Pick<PaymentAction, 'expiresAt'>>;

export type AttemptView = Omit<PaymentAttempt, 'key'>;

export interface RefundView extends Omit<Refund, 'fingerprint' | 'attemptId' | 'by' | 'providerKey'> {
  status: 'pending' | 'succeeded' | 'failed';
  /** Who has made it. */
  by: 'staff' | 'system' | 'provider';
}

export interface CompensationView extends Omit<Compensation, 'payment' | 'refundId'> {
  currency: string;
}
