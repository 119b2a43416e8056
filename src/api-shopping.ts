import type { Connection } from 'mongoose';
import { createAddressLimit } from './auth/address-limit';
import { createAttemptKeys } from './users/passwords/attempt-keys';
import { createAttemptRepository } from './users/passwords/attempts.repository';
import { createCartRepository } from './carts/carts.repository';
import { cartRoutes } from './carts/carts.routes';
import { createCartService } from './carts/carts.service';
import { checkoutRoute } from './carts/checkout.routes';
import { createCheckoutService } from './carts/checkout.service';
import type { Route } from './http/route';
import type { Outbox } from './mail/outbox';
import type { Config } from './config';
import { createOrderPresenter, orderLinksOf } from './orders/orders.presenter';
import { createOrderRepository } from './orders/orders.repository';
import { orderRoutes } from './orders/routes';
import { identifyByOrderToken } from './orders/routes/order-token';
import type { Admission } from './orders/admission';
import type { OrderService } from './orders/orders.service';
import type { DeclineLimit } from './payments/declines/decline-limit';
import { createProductServiceRepository } from './product-service/product-service.repository';
import { createStockQueue } from './product-service/stock-queue';
import { createStockRepository } from './product-service/stock.repository';
import { createGuestRepository } from './users/guests.repository';
import { createUsersRepository } from './users/users.repository';
import { accountMails } from './api-identity';

export interface ShoppingRoutesDeps {
  config: Config;
  service: OrderService;
  declines: Pick<DeclineLimit, 'requireBelow' | 'track'>;
  admission: Pick<Admission, 'admit'>;
  outbox: Pick<Outbox, 'post'>;
  onAccepted?(): void;
}

/** Creates the routes of orders and of the carts that become some. */
export function shoppingRoutes(
  connection: Connection,
  { service, config, declines, admission, outbox, onAccepted }: ShoppingRoutesDeps,
): Route[] {
  const guests = createGuestRepository(connection);
  const deps = {
    service,
    present: createOrderPresenter(orderLinksOf(config)),
    users: { ...createUsersRepository(connection), guestsOf: guests.findByEmail },
    guests: identifyByOrderToken(guests),
    declines,
    admission,
    onAccepted,
    prefix: config.http.prefix,
  };
  const carts = createCartRepository(connection, {
    stock: createStockRepository(connection),
    stockQueue: createStockQueue(),
  });
  const catalogue = createProductServiceRepository(connection);
  const orders = createOrderRepository(connection);
  const attempts = createAttemptRepository(connection);
  const attemptKeys = createAttemptKeys(config.jwt.keys[0]!.signingKey!);
  const { holdMs, maxGuestCartsPerAddress, maxGuestOrdersPerAddress } = config.carts;
  const limitGuests = createAddressLimit(attempts, {
    keyOf: attemptKeys.ofGuestCarts,
    max: maxGuestCartsPerAddress,
    what: 'carts',
  });
  const limitGuestOrders = createAddressLimit(attempts, {
    keyOf: attemptKeys.ofGuestOrders,
    max: maxGuestOrdersPerAddress,
    what: 'orders without an account',
  });
  const cartService = createCartService({ carts, orders, catalogue, holdMs, limitGuests });
  const mails = accountMails({ config, connection, outbox });
  const checkout = createCheckoutService({ service: cartService, guests, limitGuestOrders });
  return [...orderRoutes(deps), ...cartRoutes(cartService), checkoutRoute(checkout, { ...deps, mails })];
}
