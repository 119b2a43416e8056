import { trusted, type Connection, type QueryFilter } from 'mongoose';
import { unlessTaken } from '../mongodb/errors';
import { Role } from '../role/role';
import { NO_PASSWORD, type User } from './stored-user';
import { createUserModel, type UserDocument } from './users.model';

/** Someone who orders without an account. */
export interface Guest {
  id: string;
  /** Not confirmed, and others may have given it as well. */
  email: string;
  name: string;
  /** A hash of what opens their orders. */
  orderTokenHash: string;
}

export type GuestRepository = ReturnType<typeof createGuestRepository>;

/** How many guests an account can be at most, so that an access token can name them. */
const MAX_TAKEN_OVER = 20;

export function createGuestRepository(connection: Connection) {
  const users = createUserModel(connection);
  return {
    /**
     * Stores the guest, or what a known one has given now. An account that has taken the guest over by another address than
     * that sees no more of them. Returns false if the guest was erased.
     */
    async keep({ id: _id, ...given }: Guest): Promise<boolean> {
      const fixed = { role: Role.CUSTOMER, passwordHash: NO_PASSWORD, tokenVersion: 0, keptSessionId: null };
      const { email } = given;
      const sameAddress = { _id, status: 'guest', email } as const;
      const kept = await unlessTaken(() =>
        users.updateOne(sameAddress, { $set: given, $setOnInsert: fixed }, { upsert: true }),
      );
      if (kept) return true;
      // With another address, or stored at the same time by another request.
      const another = { $set: given, $unset: { takenOverBy: true } } as const;
      const { matchedCount } = await users.updateOne({ _id, status: 'guest' }, another);
      return matchedCount === 1;
    },

    /** Whether the guest was kept before. */
    async isKnown(id: string): Promise<boolean> {
      return (await users.exists({ _id: id, status: 'guest' })) !== null;
    },

    /** Returns the id of the guest whose orders the token opens, by its hash; null if there is none. */
    async findByOrderToken(orderTokenHash: string): Promise<string | null> {
      const found = await users.findOne({ orderTokenHash, status: 'guest' }, { _id: 1 }).lean();
      return found && found._id;
    },

    /** Returns the ids of all who have ordered with the address, and not been erased. */
    async findByEmail(email: string): Promise<string[]> {
      const found = await users.find({ email, status: 'guest' }, { _id: 1 }).lean();
      return found.map(({ _id }) => _id);
    },

    /**
     * Gives the orders of those who gave the user's address as guests to the account that has confirmed it, once only.
     * Returns the newest guests that the user is.
     */
    async takeOver({ id, confirmedEmail }: Pick<User, 'id' | 'confirmedEmail'>): Promise<string[]> {
      if (confirmedEmail === undefined) return [];
      const free: QueryFilter<UserDocument> = { email: confirmedEmail, status: 'guest', takenOverBy: null };
      const found = await users
        .find({ $or: [free, { takenOverBy: id }] }, { takenOverBy: 1 })
        .sort({ _id: -1 })
        .lean();
      const news = found.filter(({ takenOverBy }) => !takenOverBy).map(({ _id }) => _id);
      if (news.length > 0) {
        const still = { _id: trusted({ $in: news }), takenOverBy: null };
        await users.updateMany(still, { $set: { takenOverBy: id } }, { timestamps: false });
      }
      return found.slice(0, MAX_TAKEN_OVER).map(({ _id }) => _id);
    },

    /** Returns the ids of all guests that the user is. */
    async takenOverBy(id: string): Promise<string[]> {
      const found = await users.find({ takenOverBy: id }, { _id: 1 }).lean();
      return found.map(({ _id }) => _id);
    },
  };
}
