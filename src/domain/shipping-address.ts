import { InvalidTransition } from './errors';
import type { AddressChange, RequiredPart, ShippingAddress } from './order';

const REQUIRED_PARTS: readonly RequiredPart[] = ['name', 'line1', 'city', 'country'];

/**
 * Returns the address after a change: with all required parts it is another address, of which nothing of the stored one
 * is left; otherwise it has some parts of the stored one replaced, or removed by null.
 * @throws {InvalidTransition} if there is no stored address
 */
export function changedAddress(stored: ShippingAddress | null, change: AddressChange): ShippingAddress {
  if (isComplete(change)) return withoutRemoved(change);
  if (stored) return withoutRemoved({ ...stored, ...change });
  throw new InvalidTransition(
    'The order has no shipping address of which a part could be changed: send all of it, with name, line1, city ' +
      'and country.',
  );
}

type WithRemoved = AddressChange & Pick<ShippingAddress, RequiredPart>;

function isComplete(change: AddressChange): change is WithRemoved {
  return REQUIRED_PARTS.every((part) => change[part] !== undefined);
}

function withoutRemoved(address: WithRemoved): ShippingAddress {
  const { line2, region, postalCode, ...rest } = address;
  return {
    ...rest,
    ...(typeof line2 === 'string' && { line2 }),
    ...(typeof region === 'string' && { region }),
    ...(typeof postalCode === 'string' && { postalCode }),
  };
}
