import { trusted, type ClientSession, type Connection, mongo, type QueryFilter } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import { changesBetween, OPERATOR, type AuditedChange, type Origin } from '../domain/audit';
import { ERASED } from '../domain/erasing';
import { createTransact } from '../mongodb/transaction';
import { unlessTaken } from '../mongodb/errors';
import { Role, type UserRole } from '../role/role';
import { createKeyRevocation } from './key-revocation';
import { createActorChecks, type Actor } from './sessions/actor';
import { createSessionModel } from './sessions/sessions.model';
import { createProfileRecorder } from './profile-audit';
import {
  isConfirmed,
  NO_PASSWORD,
  notHeld,
  revokingTokens,
  toUser,
  unrevoked,
  type User,
} from './stored-user';
import {
  ACTOR_SIGNED_OUT,
  ERASED_USER,
  GUEST_USER,
  LAST_ADMIN,
  NOT_CONFIRMED,
  type GivenStatus,
  type UserStatus,
} from './user-status';
import { createUserModel, type UserDocument } from './users.model';

export type { User } from './stored-user';

export type NewUser = Pick<User, 'id' | 'email' | 'confirmedEmail' | 'name' | 'role' | 'passwordHash'>;

export interface UserFilter {
  role?: UserRole;
  status?: UserStatus;
  email?: string;
}

/** What decides on what others may do for a user. */
export interface UserStanding {
  status: UserStatus;
  isConfirmed: boolean;
}

export interface UserChange {
  role?: UserRole;
  status?: GivenStatus;
}

/** A user before and after a change, which are the same if nothing had to be changed. */
export interface UserChanged {
  before: User;
  after: User;
}

export interface UsersRepository {
  /** Returns null if another user has confirmed the e-mail address. */
  insert(user: NewUser): Promise<User | null>;
  findById(id: string): Promise<User | null>;
  /** Finds the user who has confirmed the address. */
  findByEmail(email: string): Promise<User | null>;
  /** Finds the active user who has given the address last, without confirming it. */
  findUnconfirmed(email: string): Promise<User | null>;
  /** Returns null if there is no such user. */
  standingOf(id: string): Promise<UserStanding | null>;
  /**
   * Whether the database rejects a second user with the same confirmed e-mail address, for which `setup` makes an
   * index.
   */
  isSetUp(): Promise<boolean>;
  /** Lists users, newest first. @param after the id of the last user of the previous page */
  list(filter: UserFilter, page: { limit: number; after?: string }): Promise<User[]>;
  /**
   * Returns null if the user has been disabled or erased, or all tokens revoked, since they were read, or is being changed by
   * someone else.
   */
  rename(user: User, name: string, origin: Origin): Promise<User | null>;
  /**
   * Sets the password, and the name if there is one, revokes all tokens and sessions but one, which gets another refresh
   * token, and revokes the API keys that the other sessions made. Returns null if tokens of the user have been revoked
   * since `user` was read, for example because the user was disabled, or if the session has ended.
   */
  changePassword(
    user: User,
    change: PasswordChange,
    kept: KeptSession,
    origin: Origin,
  ): Promise<PasswordChanged | null>;
  /**
   * Sets role and status; a change revokes all tokens and sessions, and all API keys of a user who is no active ADMIN
   * after it. Returns null if there is no such user.
   * @param actor the ADMIN who asks for it, judged in the same transaction; absent for a command of the
   * operator
   * @param origin what the audit log has to tell of who asks for it
   */
  change(
    id: string,
    change: UserChange,
    actor?: Actor,
    origin?: Origin,
  ): Promise<
    | UserChanged
    | typeof LAST_ADMIN
    | typeof ACTOR_SIGNED_OUT
    | typeof NOT_CONFIRMED
    | typeof ERASED_USER
    | typeof GUEST_USER
    | null
  >;
  /**
   * Closes the account permanently: erases what the user has told of themselves, and ends all tokens, sessions and API keys.
   * Returns null if there is no such user.
   */
  erase(id: string, origin: Origin): Promise<User | typeof LAST_ADMIN | null>;
}

export interface PasswordChange {
  passwordHash: string;
  name?: string;
}

/** The session that stays valid when the password changes. */
export interface KeptSession {
  id: string;
  /** The hash of its next refresh token. */
  tokenHash: string;
  /** When the access token expires that is issued with it. */
  accessUntil: Date;
  /** Sessions that began before have expired. */
  othersBeganAfter: Date;
}

export interface PasswordChanged {
  user: User;
  /** The family of the session's refresh tokens. */
  family: string;
  hasSecondFactor: boolean;
}

/** How long a change collides with others until it takes precedence, in milliseconds. */
const BRIEFLY_MS = 500;
/** How long it has precedence then, in milliseconds: longer than its transaction is repeated. */
const PRECEDENCE_MS = 10_000;

const AFTER = { returnDocument: 'after' } as const;
const NEW = { status: 'active', tokenVersion: 0, keptSessionId: null } as const;

export function createUsersRepository(connection: Connection): UsersRepository {
  const users = createUserModel(connection);
  const sessions = createSessionModel(connection);
  const revokeKeys = createKeyRevocation(connection);
  const { mayAct } = createActorChecks(connection);
  const transact = createTransact(connection);
  const transactBriefly = createTransact(connection, BRIEFLY_MS);
  const recordAudit = createAuditRecorder(connection);
  const recordProfile = createProfileRecorder(connection);

  /**
   * Runs a change that ends what a user may do. It collides with each API key that the user makes, and each name that the
   * user takes, and would never win against many of them. Then there are none for some seconds, by a write that waits for its
   * turn, unlike that of a transaction. It changes nothing else, since the change may be refused.
   */
  async function transactAtLast<T>(id: string, change: (session: ClientSession) => Promise<T>): Promise<T> {
    try {
      return await transactBriefly(change);
    } catch (error) {
      if (!(error instanceof mongo.MongoOperationTimeoutError)) throw error;
      const heldUntil = new Date(Date.now() + PRECEDENCE_MS);
      await users.updateOne({ _id: id }, { $set: { heldUntil } }, { timestamps: false });
      return transact(change);
    }
  }

  /** Whether there is an active ADMIN beside this one. */
  async function isAnotherAdmin(id: string, session: ClientSession): Promise<boolean> {
    // Writing to a remaining ADMIN makes two such changes collide, so that neither relies on the other's ADMIN.
    const others = { _id: trusted({ $ne: id }), role: Role.ADMIN, status: 'active' } as const;
    const options = { session, timestamps: false, sort: { _id: 1 } } as const;
    return (await users.findOneAndUpdate(others, { $inc: { reliedOn: 1 } }, options)) !== null;
  }

  async function find(filter: QueryFilter<UserDocument>): Promise<User | null> {
    const found = await users.findOne(filter).lean();
    return found && toUser(found);
  }

  return {
    async insert({ id, ...fields }) {
      const document = { _id: id, ...fields, ...NEW };
      const create = async (session?: ClientSession) =>
        toUser((await users.create([document], { session }))[0]!.toObject());
      // Customers open their own accounts: only those of the staff were made for them.
      const work = () =>
        fields.role === Role.CUSTOMER
          ? create()
          : transact(async (session) => {
              const made = await create(session);
              const changes = changesBetween(null, made, ['role', 'status']);
              await recordAudit({ ...audited('user.create', id), origin: OPERATOR, changes }, session);
              return made;
            });
      return (await unlessTaken(work)) ?? null;
    },

    findById: (id) => find({ _id: id }),
    findByEmail: (email) => find({ confirmedEmail: email }),

    async findUnconfirmed(email) {
      const filter = { email, confirmedEmail: null, status: 'active' } as const;
      const found = await users.findOne(filter).sort({ _id: -1 }).lean();
      return found && toUser(found);
    },

    async isSetUp() {
      const indexes = await users.collection.indexes().catch(unlessMissing);
      return indexes.some(({ key, unique }) => unique === true && 'confirmedEmail' in key);
    },

    async standingOf(id) {
      const found = await users.findById(id, { status: 1, confirmedEmail: 1 }).lean();
      return found && { status: found.status, isConfirmed: isConfirmed(found) };
    },

    async list(filter, { limit, after }) {
      const found = await users.find(matching(filter, after)).sort({ _id: -1 }).limit(limit).lean();
      return found.map(toUser);
    },

    rename: (user, name, origin) =>
      transact(async (session) => {
        const free = { ...unrevoked(user), ...notHeld() };
        const before = await users.findOneAndUpdate(free, { $set: { name } }, { session }).lean();
        if (!before) return null;
        const renamed = { ...toUser(before), name };
        await recordProfile(toUser(before), renamed, origin, session);
        return renamed;
      }),

    changePassword: (user, fields, kept, origin) =>
      transact(async (session) => {
        const { id } = user;
        const before = await users.findOne(unrevoked(user), null, { session }).lean();
        if (!before) return null;
        const { tokenHash, accessUntil } = kept;
        const goesOn = await sessions
          .findOneAndUpdate(
            { _id: kept.id, userId: id, endedAt: null },
            { $set: { tokenHash }, $max: { accessUntil } },
            { session, ...AFTER },
          )
          .lean();
        if (!goesOn) return null;
        const change = revokingTokens({ ...fields, keptSessionId: kept.id });
        const changed = toUser((await users.findByIdAndUpdate(id, change, { session, ...AFTER }).lean())!);
        const sinceThen = trusted({ $gte: kept.othersBeganAfter });
        const elsewhere = { createdBy: id, createdAt: sinceThen, sessionId: trusted({ $ne: kept.id }) };
        await revokeKeys(elsewhere, origin, session);
        await recordProfile(toUser(before), changed, origin, session);
        const { family, hasSecondFactor } = goesOn;
        return { user: changed, family, hasSecondFactor };
      }),

    change: (id, { role, status }, actor, origin = OPERATOR) =>
      transactAtLast(id, async (session) => {
        if (actor && !(await mayAct(actor, session))) return ACTOR_SIGNED_OUT;
        const stored = await users.findById(id, null, { session }).lean();
        if (!stored) return null;
        if (stored.status === 'erased') return ERASED_USER;
        if (stored.status === 'guest') return GUEST_USER;
        const before = toUser(stored);
        const next = { role: role ?? before.role, status: status ?? before.status };
        if (next.role === before.role && next.status === before.status) return { before, after: before };
        if (next.role === Role.ADMIN && before.role !== Role.ADMIN && !isConfirmed(before))
          return NOT_CONFIRMED;
        if (isActiveAdmin(before) && !isActiveAdmin(next) && !(await isAnotherAdmin(id, session)))
          return LAST_ADMIN;
        const change = revokingTokens({ ...next, keptSessionId: null });
        const changed = await users.findByIdAndUpdate(id, change, { session, ...AFTER }).lean();
        const after = toUser(changed!);
        if (!isActiveAdmin(after)) await revokeKeys({ createdBy: id }, origin, session);
        const changes = changesBetween(before, after, ['role', 'status']);
        await recordAudit({ ...audited('user.change', id), origin, changes }, session);
        return { before, after };
      }),

    erase: (id, origin) =>
      transactAtLast(id, async (session) => {
        const before = await users.findById(id, null, { session }).lean();
        if (!before || before.status === 'erased') return before && toUser(before);
        if (isActiveAdmin(before) && !(await isAnotherAdmin(id, session))) return LAST_ADMIN;
        const change = {
          ...revokingTokens({ ...erasedFields(id), keptSessionId: null }),
          $unset: { confirmedEmail: true, orderTokenHash: true },
        };
        const after = (await users.findByIdAndUpdate(id, change, { session, ...AFTER }).lean())!;
        await revokeKeys({ createdBy: id }, origin, session);
        await sessions.deleteMany({ userId: id }, { session });
        const changes = changesBetween(before, after, ['status']);
        await recordAudit({ ...audited('user.erase', id), origin, changes }, session);
        return toUser(after);
      }),
  };
}

function audited(action: string, userId: string): Omit<AuditedChange, 'origin' | 'changes'> {
  return { action, object: userId, subject: userId, personal: [] };
}

/** A collection that does not exist has no indexes. */
function unlessMissing(error: unknown): mongo.IndexDescriptionInfo[] {
  if ((error as mongo.MongoServerError).codeName === 'NamespaceNotFound') return [];
  throw error;
}

function matching(filter: UserFilter, after?: string): QueryFilter<UserDocument> {
  const defined = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  return { ...defined, ...(after !== undefined && { _id: trusted({ $lt: after }) }) };
}

/** Returns what an erased user has in place of what they have told; the domain never receives mail. */
function erasedFields(id: string): Partial<UserDocument> {
  const email = `${id.toLowerCase()}@erased.invalid`;
  return { email, name: ERASED, status: 'erased', passwordHash: NO_PASSWORD };
}

function isActiveAdmin({ role, status }: Pick<UserDocument, 'role' | 'status'>): boolean {
  return role === Role.ADMIN && status === 'active';
}
