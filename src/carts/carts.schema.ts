import Joi from 'joi';
import { idSchema } from '../common/ids';
import type { CartDetails, CartHold, CartWarning, PricedLine, Quote } from '../domain/cart';
import { MAX_QUANTITY, type OrderLine, type ShippingAddress } from '../domain/order';
import { lines, metadata, note, productServiceId, shippingAddress } from '../orders/schema/fields';
import { checkoutFields, prefer, type PlaceOrderHeaders } from '../orders/schema/requests';
import { pricedLine, shippingAddress as addressView } from '../orders/schema/view';
import { email } from '../users/users.schema';
import type { CartView } from './cart-view';

const EXAMPLE_ID = 'cart_01HZX0000000000000CART0000';
/** What a token looks like: 256 random bits. */
const CART_TOKEN = /^[\w-]{43}$/;
const EXAMPLE_TOKEN = 'Xq3vJ0c6nB2mT8yKfWZr5uAeHsLgPdQi1oN7kRbVt4E';

const cartId = idSchema('cart').example(EXAMPLE_ID);
const token = Joi.string()
  .pattern(CART_TOKEN)
  .messages({ 'string.pattern.base': '{#label} must be the token that the response to making the cart had' });

export interface CartHeaders {
  'cart-token'?: string;
}

const cartToken = token.description(
  'What opens the cart of a guest: the `token` in the response to making it',
);

export const cartHeaders = Joi.object<CartHeaders, true>({ 'cart-token': cartToken });

export const checkoutHeaders = Joi.object<CartHeaders & PlaceOrderHeaders, true>({
  'cart-token': cartToken,
  prefer,
});

export const cartParams = Joi.object<{ id: string }, true>({ id: cartId.required() });

export const cartLineParams = Joi.object<{ id: string; productServiceId: string }, true>({
  id: cartId.required(),
  productServiceId: productServiceId.required(),
});

export type PutLineBody = Pick<OrderLine, 'quantity'>;

export const putLineBody = Joi.object<PutLineBody, true>({
  quantity: Joi.number()
    .integer()
    .min(0)
    .max(MAX_QUANTITY)
    .required()
    .description('How many units are to be in the cart then; 0 takes the product out')
    .example(2),
});

export interface ChangeCartBody {
  shippingAddress?: ShippingAddress | null;
  note?: string | null;
  metadata?: CartDetails['metadata'] | null;
}

export const changeCartBody = Joi.object<ChangeCartBody, true>({
  shippingAddress: shippingAddress.allow(null).description('Replaces the address; null removes it').example({
    name: 'Ada Lovelace',
    line1: '12 Example Street',
    city: 'Berlin',
    postalCode: '10115',
    country: 'DE',
  }),
  note: note.description('null or an empty text removes it').example('Please ring twice.'),
  metadata: metadata
    .allow(null)
    .description('Replaces all that there was; null removes it')
    .example({ channel: 'web' }),
})
  .min(1)
  .messages({ 'object.min': '{#label} must have shippingAddress, note or metadata' });

export interface MergeCartBody {
  cartId: string;
  token: string;
}

export const mergeCartBody = Joi.object<MergeCartBody, true>({
  cartId: cartId.required().description('The cart of a guest'),
  token: token.required().description('What opens it').example(EXAMPLE_TOKEN),
});

export interface CheckoutBody {
  paymentMethod: string;
  expectedTotal?: number;
  externalRef?: string | null;
  email?: string;
}

export const checkoutBody = Joi.object<CheckoutBody, true>({
  ...checkoutFields,
  email: email.description(
    'Required of a guest: where the shop reaches them. An account that confirms this address takes the order over',
  ),
}).example({ paymentMethod: 'pm_card_visa', expectedTotal: 4_758 });

export interface CalculateBody {
  items: OrderLine[];
}

export const calculateBody = Joi.object<CalculateBody, true>({ items: lines.required() });

const WARNINGS: CartWarning['code'][] = ['price_changed', 'out_of_stock', 'retired'];
const time = Joi.string().isoDate().required();
const sum = Joi.number().integer().required();

const line = Joi.object<PricedLine, true>({
  ...pricedLine,
  available: Joi.number()
    .integer()
    .min(0)
    .allow(null)
    .required()
    .description('The units that can be had now; null for a service, and for what is not for sale'),
  warnings: Joi.array()
    .items(
      Joi.object<CartWarning, true>({
        code: Joi.string()
          .valid(...WARNINGS)
          .required()
          .description(
            '`price_changed`: a unit does not cost what it did when it was put into the cart; `out_of_stock`: fewer are ' +
              'available; `retired`: it is not for sale any more, and left out of the sums',
          ),
        detail: Joi.string().required(),
      }).meta({ component: 'CartWarning' }),
    )
    .required(),
}).meta({ component: 'CartLine' });

const quote = {
  items: Joi.array().items(line).required(),
  currency: Joi.string().length(3).allow(null).required(),
  subtotal: sum,
  tax: sum,
  total: sum.description('What an order would cost now, in minor units: no promise'),
};

const EXAMPLE_QUOTE: Quote = {
  items: [
    {
      productServiceId: 'ps_01HZX0000000000000TSHRTM00',
      sku: 'TSHIRT-M',
      name: 'T-shirt, M',
      kind: 'product',
      quantity: 2,
      unitPrice: 1_999,
      taxRateBps: 1_900,
      priceIncludesTax: false,
      subtotal: 3_998,
      tax: 760,
      total: 4_758,
      available: 50,
      warnings: [],
    },
  ],
  currency: 'EUR',
  subtotal: 3_998,
  tax: 760,
  total: 4_758,
};

export const quoteSchema = Joi.object<Quote, true>(quote).label('Quote').example(EXAMPLE_QUOTE);

const EXAMPLE_CART: CartView = {
  id: EXAMPLE_ID,
  status: 'open',
  ...EXAMPLE_QUOTE,
  shippingAddress: null,
  note: null,
  metadata: {},
  hold: null,
  orderId: null,
  version: 2,
  createdAt: '2026-01-15T09:28:00.000Z',
  updatedAt: '2026-01-15T09:29:00.000Z',
  expiresAt: '2026-02-14T09:29:00.000Z',
};

export const cartSchema = Joi.object<CartView, true>({
  id: cartId.required(),
  token: Joi.string().description(
    'Only in the response to making a cart of a guest: what opens it, as the header `Cart-Token`. It is shown once',
  ),
  status: Joi.string()
    .valid('open', 'ordered')
    .required()
    .description('One that is `ordered` cannot be changed any more'),
  ...quote,
  shippingAddress: addressView.allow(null).required(),
  note: Joi.string().allow(null).required(),
  metadata: Joi.object<Record<string, string>>().pattern(Joi.string(), Joi.string().allow('')).required(),
  hold: Joi.object<CartHold>({
    until: time,
    items: Joi.array()
      .items(
        Joi.object({
          productServiceId: idSchema('ps').required(),
          quantity: Joi.number().integer().min(1).required(),
        }).meta({ component: 'HeldLine' }),
      )
      .required(),
  })
    .meta({ component: 'CartHold' })
    .allow(null)
    .required()
    .description('Which units are kept from others for it, and until when, if some are'),
  orderId: Joi.string().allow(null).required().description('The order that it has become'),
  version: Joi.number().integer().min(1).required().description('The number in the ETag'),
  createdAt: time,
  updatedAt: time,
  expiresAt: time.description('When it is deleted, unless it is changed before'),
})
  .label('Cart')
  .example(EXAMPLE_CART);

/** The example of a guest's cart that was just made. */
export const EXAMPLE_NEW_CART: CartView = {
  ...EXAMPLE_CART,
  token: EXAMPLE_TOKEN,
  items: [],
  currency: null,
  subtotal: 0,
  tax: 0,
  total: 0,
  version: 1,
};
