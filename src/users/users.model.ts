import { Schema, type Connection, type Model } from 'mongoose';
import { carryVersion, schemaVersionOf, type WithVersion } from '../migrations/schema-version';
import { modelOf } from '../mongodb/model';
import { USER_ROLES, type UserRole } from '../role/role';
import { USER_STATUSES, type UserStatus } from './user-status';

export interface UserDocument extends WithVersion {
  _id: string;
  /** The address that the user gave, which others may have given as well. */
  email: string;
  /** The same, once its owner has confirmed it: then no other account can. Absent before. */
  confirmedEmail?: string;
  name: string;
  role: UserRole;
  status: UserStatus;
  passwordHash: string;
  /** Access tokens and sessions of a lower version are revoked. */
  tokenVersion: number;
  /** When `tokenVersion` was raised last; absent if it never was. */
  tokensRevokedAt?: Date;
  /** The session that remained valid then: the one in which the password was changed. */
  keptSessionId: string | null;
  /** Raised by each change that relies on this ADMIN: one that deprives the shop of another, or a new API key. */
  reliedOn?: number;
  /** Until when this user makes no API keys and takes no name, with which a change of role or status would collide. */
  heldUntil?: Date;
  /** A hash of what opens the orders of a guest. */
  orderTokenHash?: string;
  /** The account that has taken over the orders of a guest. */
  takenOverBy?: string;
  createdAt: Date;
  updatedAt: Date;
}

const userSchema = new Schema<UserDocument>(
  {
    _id: { type: String, required: true },
    email: { type: String, required: true },
    confirmedEmail: String,
    name: { type: String, required: true },
    role: { type: String, enum: USER_ROLES, required: true },
    status: { type: String, enum: USER_STATUSES, required: true },
    passwordHash: { type: String, required: true },
    tokenVersion: { type: Number, required: true },
    tokensRevokedAt: Date,
    keptSessionId: { type: String, default: null },
    reliedOn: Number,
    heldUntil: Date,
    orderTokenHash: String,
    takenOverBy: String,
  },
  {
    collection: 'users',
    timestamps: true,
    versionKey: false,
    autoIndex: false,
    autoCreate: false,
  },
);

carryVersion(userSchema, schemaVersionOf('users'));

userSchema.index({ confirmedEmail: 1 }, { unique: true, sparse: true });
// Finds the accounts for which an address was given.
userSchema.index({ email: 1, _id: -1 });
// Finds ADMINs: for lists, and to keep the last one.
userSchema.index({ role: 1, _id: -1 });
// Finds erased users, for whom orders may have arrived since.
userSchema.index({ status: 1, _id: -1 }, { name: 'erased', partialFilterExpression: { status: 'erased' } });
// Finds users whose tokens were revoked recently.
userSchema.index({ tokensRevokedAt: 1 }, { sparse: true });

// Finds guests by what opens their orders, and by the account that has taken them over.
userSchema.index({ orderTokenHash: 1 }, { sparse: true });
userSchema.index({ takenOverBy: 1, _id: -1 }, { partialFilterExpression: { takenOverBy: { $gt: '' } } });

export function createUserModel(connection: Connection): Model<UserDocument> {
  return modelOf(connection, 'User', userSchema);
}
