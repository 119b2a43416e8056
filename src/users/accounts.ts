import type { ErasureRequest } from '../domain/erasing';
import { LAST_ADMIN } from './user-status';
import type { UsersRepository } from './users.repository';

/** Why the last active ADMIN can be neither disabled nor demoted nor erased. */
export const LAST_ADMIN_STAYS = 'This is the last active ADMIN: make another user an ADMIN first.';

/** Creates what erasing does with the accounts of users. */
export function createAccounts(users: Pick<UsersRepository, 'standingOf' | 'erase'>) {
  return {
    isClosed: async (userId: string): Promise<boolean> =>
      (await users.standingOf(userId))?.status === 'erased',

    /** Returns why the account cannot be closed, or null. */
    async close({ userId, by, requestId }: ErasureRequest): Promise<string | null> {
      // The network address would be a personal datum of who asks.
      const erased = await users.erase(userId, { by, requestId, address: null });
      return erased === LAST_ADMIN ? LAST_ADMIN_STAYS : null;
    },
  };
}
