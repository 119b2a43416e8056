import { trusted, type Connection, type mongo, type QueryFilter, type UpdateQuery } from 'mongoose';
import { createTransact } from '../mongodb/transaction';
import { isDuplicateKey } from '../mongodb/errors';
import type { Principal } from '../role/principal';
import { Role, type UserRole } from '../role/role';
import { isSignedIn } from './sessions/signed-in';
import { ACTOR_ENDED, LAST_ADMIN, type UserStatus } from './user-status';
import { createUserModel, type UserDocument } from './users.model';

export type User = Pick<
  UserDocument,
  'email' | 'name' | 'role' | 'passwordHash' | 'createdAt' | 'updatedAt'
> &
  Pick<UserDocument, 'status' | 'tokenVersion' | 'keptSessionId'> & { id: string };

export type NewUser = Pick<User, 'id' | 'email' | 'name' | 'role' | 'passwordHash'>;

export interface UserFilter {
  role?: UserRole;
  status?: UserStatus;
  email?: string;
}

export type UserChange = Partial<Pick<User, 'role' | 'status'>>;

export interface UsersRepository {
  /** Null when the e-mail address is taken. */
  insert(user: NewUser): Promise<User | null>;
  findById(id: string): Promise<User | null>;
  findByEmail(email: string): Promise<User | null>;
  exists(id: string): Promise<boolean>;
  /** Whether the database keeps two users from having one e-mail address: `setup` makes it do so. */
  isSetUp(): Promise<boolean>;
  /** Newest first. @param after the id of the last one of the page before */
  list(filter: UserFilter, page: { limit: number; after?: string }): Promise<User[]>;
  rename(id: string, name: string): Promise<User | null>;
  /**
   * Sets the password and ends all tokens and sessions but one. Null when the user was disabled, or anything else ended
   * tokens, meanwhile.
   * @param user as it was read
   */
  changePassword(user: User, passwordHash: string, keptSessionId: string | null): Promise<User | null>;
  /**
   * Sets role and status; what changes ends all tokens and sessions. Null when there is no such user.
   * @param actor who wants it, judged in the same transaction; absent: the operator's own command
   */
  change(
    id: string,
    change: UserChange,
    actor?: Principal,
  ): Promise<User | typeof LAST_ADMIN | typeof ACTOR_ENDED | null>;
}

const AFTER = { returnDocument: 'after' } as const;
/** Those of before there was a status have none. */
const ACTIVE: QueryFilter<UserDocument> = { status: trusted({ $ne: 'disabled' as const }) };

export function createUsersRepository(connection: Connection): UsersRepository {
  const users = createUserModel(connection);
  const transact = createTransact(connection);

  async function find(filter: QueryFilter<UserDocument>): Promise<User | null> {
    const found = await users.findOne(filter).lean();
    return found && toUser(found);
  }

  async function update(
    filter: QueryFilter<UserDocument>,
    change: UpdateQuery<UserDocument>,
  ): Promise<User | null> {
    const updated = await users.findOneAndUpdate(filter, change, AFTER).lean();
    return updated && toUser(updated);
  }

  return {
    async insert({ id, ...fields }) {
      try {
        return toUser((await users.create({ _id: id, ...fields })).toObject());
      } catch (error) {
        if (isDuplicateKey(error)) return null;
        throw error;
      }
    },

    findById: (id) => find({ _id: id }),
    findByEmail: (email) => find({ email }),
    async isSetUp() {
      const indexes = await users.collection.indexes().catch(unlessMissing);
      return indexes.some(({ key, unique }) => unique === true && 'email' in key);
    },

    exists: async (id) => (await users.exists({ _id: id })) !== null,

    async list(filter, { limit, after }) {
      const found = await users.find(matching(filter, after)).sort({ _id: -1 }).limit(limit).lean();
      return found.map(toUser);
    },

    rename: (id, name) => update({ _id: id }, { $set: { name } }),

    changePassword: ({ id, tokenVersion }, passwordHash, keptSessionId) =>
      update(
        { _id: id, ...ACTIVE, ...ofVersion(tokenVersion) },
        endingTokens({ passwordHash, keptSessionId }),
      ),

    change: (id, { role, status }, actor) =>
      transact(async (session) => {
        if (actor) {
          const stored = await users.findById(actor.id, null, { session }).lean();
          if (!isSignedIn(stored && toUser(stored), actor)) return ACTOR_ENDED;
        }
        const before = await users.findById(id, null, { session }).lean();
        if (!before) return null;
        const after = { role: role ?? before.role, status: status ?? statusOf(before) };
        if (after.role === before.role && after.status === statusOf(before)) return toUser(before);
        if (isAdmin({ ...before, status: statusOf(before) }) && !isAdmin(after)) {
          // Writing to the one that remains makes two such changes at once collide: neither can rely on the other.
          const others = { _id: trusted({ $ne: id }), role: Role.ADMIN, ...ACTIVE };
          const options = { session, timestamps: false, sort: { _id: 1 } } as const;
          if (!(await users.findOneAndUpdate(others, { $inc: { reliedOn: 1 } }, options))) return LAST_ADMIN;
        }
        const change = endingTokens({ ...after, keptSessionId: null });
        return toUser((await users.findByIdAndUpdate(id, change, { session, ...AFTER }).lean())!);
      }),
  };
}

/** Of a collection that is not there. */
function unlessMissing(error: unknown): mongo.IndexDescriptionInfo[] {
  if ((error as mongo.MongoServerError).codeName === 'NamespaceNotFound') return [];
  throw error;
}

function matching({ status, ...equal }: UserFilter, after?: string): QueryFilter<UserDocument> {
  const defined = Object.fromEntries(Object.entries(equal).filter(([, value]) => value !== undefined));
  return {
    ...defined,
    ...(status === 'active' && ACTIVE),
    ...(status === 'disabled' && { status }),
    ...(after !== undefined && { _id: trusted({ $lt: after }) }),
  };
}

/** Those of before there was one have none. */
function ofVersion(tokenVersion: number): QueryFilter<UserDocument> {
  return { tokenVersion: tokenVersion === 0 ? trusted({ $in: [0, null] as number[] }) : tokenVersion };
}

function endingTokens(fields: Partial<UserDocument>): UpdateQuery<UserDocument> {
  return { $set: fields, $inc: { tokenVersion: 1 }, $currentDate: { tokensEndedAt: true } };
}

function isAdmin({ role, status }: Pick<UserDocument, 'role' | 'status'>): boolean {
  return role === Role.ADMIN && status === 'active';
}

function statusOf({ status }: Partial<UserDocument>): UserStatus {
  return status ?? 'active';
}

function toUser(document: UserDocument): User {
  const { _id, email, name, role, passwordHash, createdAt, updatedAt } = document;
  const { tokenVersion = 0, keptSessionId = null } = document as Partial<UserDocument>;
  const status = statusOf(document);
  return {
    id: _id,
    email,
    name,
    role,
    status,
    passwordHash,
    tokenVersion,
    keptSessionId,
    createdAt,
    updatedAt,
  };
}
