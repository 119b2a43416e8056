import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../mongodb/model';
import { USER_ROLES, type UserRole } from '../role/role';

export interface UserDocument {
  _id: string;
  email: string;
  name: string;
  role: UserRole;
  passwordHash: string;
  createdAt: Date;
  updatedAt: Date;
}

const userSchema = new Schema<UserDocument>(
  {
    _id: { type: String, required: true },
    email: { type: String, required: true },
    name: { type: String, required: true },
    role: { type: String, enum: USER_ROLES, required: true },
    passwordHash: { type: String, required: true },
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

export function createUserModel(connection: Connection): Model<UserDocument> {
  return modelOf(connection, 'User', userSchema);
}
