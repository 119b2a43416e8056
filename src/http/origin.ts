import type { Origin } from '../domain/audit';
import type { Principal } from '../role/principal';
import type { Context } from './context';

/** Returns who sends the request, and from where, for the audit log. */
export function originOf({ state, ip }: Context, { id }: Principal): Origin & { address: string } {
  return { by: id, requestId: state.requestId, address: ip };
}
