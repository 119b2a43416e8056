/** The query parameters by which orders are found. */
import Joi, { type ArraySchema, type CustomHelpers } from 'joi';
import { isoTime, isoTimeAfter } from '../../common/dates';
import { idSchema } from '../../common/ids';
import { listOf } from '../../common/list';
import { pageQuery, type PageQuery } from '../../common/pagination';
import { singleLine } from '../../common/text';
import { FULFILLMENT_STATUSES, ORDER_STATUSES, PAYMENT_STATUSES } from '../../domain/order';
import { parseOrderNumber } from '../../domain/order-number';
import { email } from '../../users/users.schema';
import type { OrderFilter } from '../order-filter';
import { externalRef, metadata } from './fields';

/** The filters that only ADMINs may use. */
export const ADMIN_FILTERS = ['customerId', 'email', 'archived'] as const;

export interface FindOrdersQuery extends Omit<OrderFilter, 'customerId'> {
  customerId?: string;
  email?: string;
}

/** The most values that one of the lists below has. */
const MAX_VALUES = Math.max(
  ...[ORDER_STATUSES, PAYMENT_STATUSES, FULFILLMENT_STATUSES].map(({ length }) => length),
);

/** Some of these values, separated by commas. */
function some(name: string, component: string, values: readonly string[]): ArraySchema<string[]> {
  const value = Joi.string()
    .valid(...values)
    .label(name)
    .meta({ component });
  return listOf(value, MAX_VALUES);
}

/** Letters that look like digits are read as those, and the hyphen may be missing. */
const ORDER_NUMBER = /^[0-9A-TV-Za-tv-z]{5}-?[0-9A-TV-Za-tv-z]{5}$/;

const findOrdersQuery = {
  number: Joi.string()
    .pattern(ORDER_NUMBER)
    .custom(
      (text: string, { error }: CustomHelpers) => parseOrderNumber(text) ?? error('string.pattern.base'),
    )
    .messages({ 'string.pattern.base': '{#label} must be the number of an order, for example 7K3DQ-9QXWM' })
    .description('In upper or lower case, with or without the hyphen'),
  status: some('status', 'OrderStatus', ORDER_STATUSES).description('One or several: `pending,confirmed`'),
  paymentStatus: some('paymentStatus', 'PaymentStatus', PAYMENT_STATUSES),
  fulfillmentStatus: some('fulfillmentStatus', 'FulfillmentStatus', FULFILLMENT_STATUSES),
  customerId: idSchema('usr').description('For ADMINs only'),
  email: email.description("For ADMINs only: the customer's e-mail address"),
  sku: singleLine(100).description('Orders with such a line, as the SKU was when they were placed'),
  trackingNumber: singleLine(100).description('Orders with such a shipment'),
  externalRef: externalRef.description("The name that the customer's own system gave the order"),
  metadata: metadata.description('Orders with these values: `metadata[channel]=web`'),
  from: isoTime().description('Created at or after this time'),
  to: isoTimeAfter('from').description('Created before this time, which is after `from`'),
  updatedFrom: isoTime().description('Changed at or after this time. The oldest change comes first'),
  updatedTo: isoTimeAfter('updatedFrom').description(
    'Changed before this time, which is after `updatedFrom`. The oldest change comes first',
  ),
  archived: Joi.boolean().description('For ADMINs only: archived orders instead of all others'),
};

export type ListOrdersQuery = PageQuery & FindOrdersQuery;

export const listOrdersQuery = Joi.object<ListOrdersQuery, true>({ ...pageQuery, ...findOrdersQuery });

export const exportOrdersQuery = Joi.object<FindOrdersQuery, true>(findOrdersQuery);
