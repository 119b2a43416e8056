import type { Route } from '../../http/route';
import { amendOrderRoute } from './amend';
import { archiveOrderRoute, cancelOrderRoute } from './cancel-archive';
import { resolveCompensationRoute, retryCompensationRoute } from './compensations';
import { exportOrdersRoute } from './export';
import {
  correctFulfillmentRoute,
  deliverFulfillmentRoute,
  fulfillOrderRoute,
  undoFulfillmentRoute,
} from './fulfillments';
import { confirmPaymentRoute, payOrderRoute } from './payment';
import { placeOrderRoute } from './place';
import type { PlaceOrderRouteDeps } from './placement';
import { listOrdersRoute, readOrderRoute } from './read';
import { refundOrderRoute } from './refund';

export function orderRoutes(deps: PlaceOrderRouteDeps): Route[] {
  return [
    placeOrderRoute(deps),
    listOrdersRoute(deps),
    exportOrdersRoute(deps), // before the route whose :id would be "export.csv"
    readOrderRoute(deps),
    payOrderRoute(deps),
    confirmPaymentRoute(deps),
    amendOrderRoute(deps),
    cancelOrderRoute(deps),
    archiveOrderRoute(deps),
    fulfillOrderRoute(deps),
    undoFulfillmentRoute(deps),
    correctFulfillmentRoute(deps),
    deliverFulfillmentRoute(deps),
    refundOrderRoute(deps),
    retryCompensationRoute(deps),
    resolveCompensationRoute(deps),
  ];
}
