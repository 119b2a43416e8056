import { countOrNone, duration, durationOrZero, millisecondsOf } from './rules';
import { section } from './section';

const variables = {
  CART_HOLD: durationOrZero('0')
    .tag('api')
    .example('10m')
    .description(
      'How long `POST /carts/{id}/hold` keeps goods from others; `0`: not at all. Anybody can hold goods without paying: ' +
        'switch it on for what is scarce, not for what is sought by bots',
    ),
  MAX_GUEST_CARTS_PER_ADDRESS: countOrNone(200)
    .tag('api')
    .description(
      'Carts that guests may make from an IPv4 address or an IPv6 /64 network within an hour, beyond which they are a 429; ' +
        '`0`: no limit, for an API that sees only the address of a shop in front of it',
    ),
  MAX_GUEST_ORDERS_PER_ADDRESS: countOrNone(20)
    .tag('api')
    .description(
      'Carts that guests may order from an IPv4 address or an IPv6 /64 network within an hour, beyond which they are a 429: ' +
        'the limits of what a customer may have unpaid do not bind those who are another guest each time. `0`: no limit, for ' +
        'an API that sees only the address of a shop in front of it',
    ),
  CART_ABANDONED_AFTER: duration('4h')
    .tag('worker')
    .description('How long after its last change a cart that is not ordered counts as abandoned'),
};

export const carts = section({
  title: 'Carts',
  readBy: ['api', 'worker'],
  variables,
  config: (env) => ({
    holdMs: millisecondsOf(env.CART_HOLD),
    maxGuestCartsPerAddress: env.MAX_GUEST_CARTS_PER_ADDRESS,
    maxGuestOrdersPerAddress: env.MAX_GUEST_ORDERS_PER_ADDRESS,
    abandonedAfterMs: millisecondsOf(env.CART_ABANDONED_AFTER),
  }),
});
