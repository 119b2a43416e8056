import { trusted, type Connection } from 'mongoose';
import type { AuditRepository } from '../audit/audit.repository';
import { createCartModel, type CartDocument } from '../carts/carts.model';
import { createAnsweredCommandModel } from '../orders/answered-commands.model';
import { createPaymentActionModel } from '../payments/actions.model';
import { createAccountTokenModel } from '../users/account/account-tokens.model';
import { createApiKeyModel } from '../users/api-keys.model';
import { createSecondFactorModel } from '../users/second-factor/second-factors.model';
import { createSessionModel, type SessionDocument } from '../users/sessions/sessions.model';
import { ERASED } from '../domain/erasing';

export type PersonalDataRepository = ReturnType<typeof createPersonalDataRepository>;

export type StoredSession = Pick<
  SessionDocument,
  '_id' | 'createdAt' | 'refreshedAt' | 'endedAt' | 'expiresAt'
>;

/** What is kept of people beside their users and orders. */
export function createPersonalDataRepository(
  connection: Connection,
  audit: Pick<AuditRepository, 'erasePrivateParts' | 'erasePrivatePartsOfOrder'>,
) {
  const sessions = createSessionModel(connection);
  const tokens = createAccountTokenModel(connection);
  const factors = createSecondFactorModel(connection);
  const keys = createApiKeyModel(connection);
  const actions = createPaymentActionModel(connection);
  const carts = createCartModel(connection);
  const answers = createAnsweredCommandModel(connection);
  return {
    /** Lists sessions. @param page `after` is the id of the last session of the previous page */
    sessionsOf: (
      userId: string,
      { limit, after }: { limit: number; after?: string },
    ): Promise<StoredSession[]> =>
      sessions
        .find(
          { userId, ...(after !== undefined && { _id: trusted({ $gt: after }) }) },
          { createdAt: 1, refreshedAt: 1, endedAt: 1, expiresAt: 1 },
        )
        .sort({ _id: 1 })
        .limit(limit)
        .lean(),

    /** Returns the carts of a customer. */
    cartsOf: (customerId: string): Promise<CartDocument[]> =>
      carts.find({ customerId, status: trusted({ $ne: 'merged' }) }).lean(),

    /**
     * Removes what customers had to do for the payments of an order, whose keys begin with its id, as those of its answers
     * do, and erases the private parts of what the audit log has of it.
     */
    async eraseTraces(orderId: string): Promise<void> {
      await audit.erasePrivatePartsOfOrder(orderId);
      await actions.deleteMany({ _id: trusted({ $gte: `${orderId}-`, $lt: `${orderId}.` }) });
      await answers.deleteMany({ _id: trusted({ $gte: `${orderId}/`, $lt: `${orderId}0` }) });
    },

    /**
     * Removes the sessions, tokens and second factor of a user, and erases the names of the API keys and the private parts
     * of the audit log.
     */
    async eraseRest(userId: string): Promise<void> {
      await sessions.deleteMany({ userId });
      await tokens.deleteMany({ userId });
      await factors.deleteOne({ _id: userId });
      await keys.updateMany({ createdBy: userId }, { $set: { name: ERASED } });
      await audit.erasePrivateParts(userId);
    },
  };
}
