import Joi from 'joi';
import { route, type Route } from '../../http/route';
import { orAbort, sendStream } from '../../http/stream';
import { Role } from '../../role/role';
import { CSV_COLUMNS, ordersCsv } from '../orders-csv';
import { exportOrdersQuery } from '../schema/queries';
import { sortOf } from '../order-filter';
import { filterOf } from './filters';
import { TAG, type OrderRouteDeps } from './responses';

export function exportOrdersRoute({ service, users }: OrderRouteDeps): Route {
  return route({
    method: 'get',
    path: '/orders/export.csv',
    role: Role.ADMIN,
    scope: 'orders:read',
    operationId: 'exportOrders',
    summary: 'Export orders as CSV',
    description:
      'All orders that match the filters, in the order of the list, that existed at the time of the request: one row ' +
      'for each line of an order. What identifies an order is in each of its rows; what concerns it as a ' +
      'whole (`orderTotal`, address, note) is in the first one only, so that sums are right. Amounts are in ' +
      'minor units, as everywhere. A text that a spreadsheet would run as a formula begins with an ' +
      'apostrophe. The file is complete only if the response ends properly: after a failure in the middle, ' +
      'the connection is cut off.',
    tag: TAG,
    query: exportOrdersQuery,
    responses: {
      200: {
        description: 'CSV by RFC 4180 in UTF-8, with the names of the columns in the first row',
        data: Joi.string().example(`${CSV_COLUMNS.join(',')}\r\n`),
        mediaType: 'text/csv',
        headers: { 'Content-Disposition': 'The name of the file' },
      },
    },
    errors: ['service_unavailable'],
    async handler(ctx, { query, principal }) {
      const now = new Date();
      // A list of changes has to end, though orders are changed all the time.
      const isOfChanges = sortOf(query) === 'updatedAt';
      const filter = await filterOf(
        { ...query, ...(isOfChanges && { updatedTo: query.updatedTo ?? now }) },
        principal,
        users,
      );
      const pages = service.pages(filter);
      const first = await pages.next(); // what fails here is a problem yet
      const day = now.toISOString().slice(0, 10);
      await sendStream(ctx, ordersCsv(orAbort(ctx, first, pages)), {
        type: 'text/csv; charset=utf-8; header=present',
        filename: `orders-${day}.csv`,
      });
    },
  });
}
