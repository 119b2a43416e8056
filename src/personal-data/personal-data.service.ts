import type { AuditedChange, Origin } from '../domain/audit';
import { AppError } from '../errors/app-error';
import type { Principal, UserPrincipal } from '../role/principal';
import type { Proof, Reauthentication } from '../users/reauthentication';
import { noSuchUser } from '../users/no-such-user';
import type { User, UsersRepository } from '../users/users.repository';
import type { Erasures } from './erasures';
import { personalData, type ExportDeps } from './export';

export interface PersonalDataServiceDeps extends ExportDeps {
  users: Pick<UsersRepository, 'findById'>;
  /** Writes an entry of the audit log. */
  record(change: AuditedChange): Promise<void>;
  requireRecentSignIn: Reauthentication;
  erasures: Erasures;
}

export type PersonalDataService = ReturnType<typeof createPersonalDataService>;

export function createPersonalDataService(deps: PersonalDataServiceDeps) {
  const { users, record, requireRecentSignIn, erasures } = deps;

  /** Nobody has to be asked for it, so that others and those who do not exist look alike and cost alike. */
  function requireOwn(userId: string, { id, role }: Principal): void {
    if (role !== 'ADMIN' && id !== userId) throw noSuchUser();
  }

  async function find(userId: string): Promise<User> {
    const user = await users.findById(userId);
    if (!user) throw noSuchUser();
    return user;
  }

  return {
    /**
     * Returns lines of JSON. The audit log has it when an ADMIN exports the data of another user.
     * @throws {AppError} not_found, also when it is another user
     */
    async export(
      userId: string,
      principal: UserPrincipal,
      origin: Origin,
    ): Promise<AsyncGenerator<string, void>> {
      requireOwn(userId, principal);
      const user = await find(userId);
      const about = { object: userId, subject: userId, changes: [], personal: [] };
      if (principal.id !== userId) await record({ origin, action: 'user.export', ...about });
      return personalData(deps, user);
    },

    /**
     * Closes the account and has the rest erased. Returns what is left of the user.
     * @param requestId of the HTTP request
     * @throws {AppError} not_found, also when it is another user; invalid_transition if something stands in the way;
     * validation_failed or rate_limited for a wrong password; service_unavailable
     */
    async erase(userId: string, actor: UserPrincipal, proof: Proof, requestId: string): Promise<User> {
      requireOwn(userId, actor);
      await requireRecentSignIn(actor, proof);
      await find(userId);
      const { refusal } = await erasures.begin({ userId, by: actor.id, requestId });
      if (refusal !== null) throw new AppError('invalid_transition', refusal);
      return find(userId);
    },
  };
}
