import type { Route } from '../../http/route';
import { amendOrderRoute } from './amend';
import { archiveOrderRoute, cancelOrderRoute } from './cancel-archive';
import { resolveCompensationRoute, retryCompensationRoute } from './compensations';
import {
  correctFulfillmentRoute,
  deliverFulfillmentRoute,
  fulfillOrderRoute,
  undoFulfillmentRoute,
} from './fulfillments';
import { placeOrderRoute, type PlaceOrderRouteDeps } from './place';
import { listOrdersRoute, readOrderRoute } from './read';
import { refundOrderRoute } from './refund';

export function orderRoutes(deps: PlaceOrderRouteDeps): Route[] {
  return [
    placeOrderRoute(deps),
    listOrdersRoute(deps),
    readOrderRoute(deps),
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
