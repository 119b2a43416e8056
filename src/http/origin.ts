import type { Origin } from '../domain/audit';
import type { Principal } from '../role/principal';
import type { Context } from './context';

/** Where a request comes from. */
export type Sender = Pick<Origin, 'requestId'> & { address: string };

/** Returns where the request comes from, for what nobody has to be signed in to do. */
export function senderOf({ state, ip }: Context): Sender {
  return { requestId: state.requestId, address: ip };
}

/** Returns who sends the request, and from where, for the audit log. */
export function originOf(ctx: Context, { id }: Principal): Sender & Origin {
  return { by: id, ...senderOf(ctx) };
}
