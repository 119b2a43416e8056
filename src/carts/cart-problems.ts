import { AppError } from '../errors/app-error';

export function cartOrdered(orderId: string): AppError {
  return new AppError(
    'cart_ordered',
    'This cart was ordered, and cannot be changed or ordered again: see orderId for its order, or make another cart.',
    { orderId },
  );
}

/** One error for a cart that does not exist, and for that of another. */
export function noSuchCart(): AppError {
  return new AppError('not_found', 'Cart not found, or you do not have access to it.');
}

export function noHolds(): AppError {
  return new AppError('invalid_transition', 'This shop holds no goods for carts: order them at once.');
}

export function notHeld(): AppError {
  return new AppError(
    'out_of_stock',
    'Not all of it is in stock, and nothing more is held: see the warnings of the cart, and take out what is missing.',
  );
}

export function mergedWithItself(): AppError {
  return new AppError('invalid_transition', 'A cart cannot be merged into itself: name the cart of a guest.');
}
