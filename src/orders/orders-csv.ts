import { csvRow, type CsvCell } from '../common/csv';
import { dueOf, type Order, type OrderItem } from '../domain/order';
import { countingFulfillments } from '../domain/order-progress';

/** What identifies an order and what tells where it stands: in each of its rows, so that rows can be filtered. */
const OF_ORDER: Columns<Order> = {
  number: ({ number }) => number,
  id: ({ id }) => id,
  externalRef: ({ externalRef }) => externalRef,
  customerId: ({ customerId }) => customerId,
  status: ({ status }) => status,
  paymentStatus: ({ paymentStatus }) => paymentStatus,
  fulfillmentStatus: ({ fulfillmentStatus }) => fulfillmentStatus,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
  currency: ({ currency }) => currency,
};

const OF_LINE: Columns<OrderItem> = {
  productServiceId: ({ productServiceId }) => productServiceId,
  sku: ({ sku }) => sku,
  name: ({ name }) => name,
  kind: ({ kind }) => kind,
  quantity: ({ quantity }) => quantity,
  fulfilledQuantity: ({ fulfilledQuantity }) => fulfilledQuantity,
  cancelledQuantity: ({ cancelledQuantity }) => cancelledQuantity,
  refundedQuantity: ({ refundedQuantity }) => refundedQuantity,
  unitPrice: ({ unitPrice }) => unitPrice,
  taxRateBps: ({ taxRateBps }) => taxRateBps,
  priceIncludesTax: ({ priceIncludesTax }) => priceIncludesTax,
  subtotal: ({ subtotal }) => subtotal,
  tax: ({ tax }) => tax,
  total: ({ total }) => total,
};

/** Only in the first row of each order, so that the sum of a column is right. */
const OF_FIRST_ROW: Columns<Order> = {
  orderTotal: ({ total }) => total,
  orderCancelled: ({ cancelled }) => cancelled,
  orderDue: dueOf,
  orderCaptured: ({ captured }) => captured,
  orderRefunded: ({ refunded }) => refunded,
  trackingNumbers: (order) =>
    countingFulfillments(order)
      .flatMap(({ trackingNumber }) => trackingNumber ?? [])
      .join(' '),
  shippingName: ({ shippingAddress }) => shippingAddress?.name ?? null,
  shippingLine1: ({ shippingAddress }) => shippingAddress?.line1 ?? null,
  shippingLine2: ({ shippingAddress }) => shippingAddress?.line2 ?? null,
  shippingCity: ({ shippingAddress }) => shippingAddress?.city ?? null,
  shippingRegion: ({ shippingAddress }) => shippingAddress?.region ?? null,
  shippingPostalCode: ({ shippingAddress }) => shippingAddress?.postalCode ?? null,
  shippingCountry: ({ shippingAddress }) => shippingAddress?.country ?? null,
  note: ({ note }) => note,
  metadata: ({ metadata }) => (Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : null),
};

type Columns<T> = Readonly<Record<string, (of: T) => CsvCell>>;

export const CSV_COLUMNS = [OF_ORDER, OF_LINE, OF_FIRST_ROW].flatMap(Object.keys);

/** Yields the file in parts: the names of the columns, then the rows of a page of orders at a time. */
export async function* ordersCsv(pages: AsyncIterable<readonly Order[]>): AsyncGenerator<string> {
  yield csvRow(CSV_COLUMNS);
  for await (const page of pages) yield page.map(rowsOf).join('');
}

/** Returns a row for each line of the order. */
function rowsOf(order: Order): string {
  const identity = cells(OF_ORDER, order);
  const rows = order.items.map((item, n) =>
    csvRow([...identity, ...cells(OF_LINE, item), ...(n === 0 ? cells(OF_FIRST_ROW, order) : NOTHING)]),
  );
  return rows.join('');
}

const NOTHING: readonly CsvCell[] = Object.keys(OF_FIRST_ROW).map(() => null);

function cells<T>(columns: Columns<T>, of: T): CsvCell[] {
  return Object.values(columns).map((column) => column(of));
}
