import { sha256 } from '../../common/hash';
import type { Identification } from '../../http/route';
import { Role } from '../../role/role';

/** Identifies a guest, who may do with their order what a customer may, by the token that ordering has given them. */
export function identifyByOrderToken(guests: {
  findByOrderToken(hash: string): Promise<string | null>;
}): Identification {
  return {
    scheme: 'orderToken',
    async by(ctx, next) {
      const token = ctx.get('Order-Token');
      if (!ctx.state.principal && token !== '' && ctx.get('Authorization') === '') {
        const id = await guests.findByOrderToken(sha256(token));
        if (id !== null) ctx.state.principal = { id, role: Role.CUSTOMER };
      }
      return next();
    },
  };
}
