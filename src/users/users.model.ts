import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../mongodb/model';
import { USER_ROLES, type UserRole } from '../role/role';
import { USER_STATUSES, type UserStatus } from './user-status';

export interface UserDocument {
  _id: string;
  email: string;
  name: string;
  role: UserRole;
  status: UserStatus;
  passwordHash: string;
  /** Access tokens and sessions of a lower version are ended. */
  tokenVersion: number;
  /** When it was raised last; absent while it never was. */
  tokensEndedAt?: Date;
  /** The session that went on then: the one in which the password was changed. */
  keptSessionId: string | null;
  /** Raised in an ADMIN by each change that relies on there being this other one. */
  reliedOn?: number;
  createdAt: Date;
  updatedAt: Date;
}

const userSchema = new Schema<UserDocument>(
  {
    _id: { type: String, required: true },
    email: { type: String, required: true },
    name: { type: String, required: true },
    role: { type: String, enum: USER_ROLES, required: true },
    status: { type: String, enum: USER_STATUSES, default: 'active' },
    passwordHash: { type: String, required: true },
    tokenVersion: { type: Number, default: 0 },
    tokensEndedAt: Date,
    keptSessionId: { type: String, default: null },
    reliedOn: Number,
  },
  {
    collection: 'users',
    timestamps: true,
    versionKey: false,
    autoIndex: false,
    autoCreate: false,
  },
);

userSchema.index({ email: 1 }, { unique: true });
// Who is an ADMIN: for lists, and for the last one.
userSchema.index({ role: 1, _id: -1 });
// Whose tokens were ended lately.
userSchema.index({ tokensEndedAt: 1 }, { sparse: true });

export function createUserModel(connection: Connection): Model<UserDocument> {
  return modelOf(connection, 'User', userSchema);
}
