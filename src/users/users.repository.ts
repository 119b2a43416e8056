import type { Connection } from 'mongoose';
import { isDuplicateKey } from '../mongodb/unavailable';
import type { UserRole } from '../role/role';
import { createUserModel, type UserDocument } from './users.model';

export interface User {
  id: string;
  email: string;
  name: string;
  role: UserRole;
  passwordHash: string;
  createdAt: Date;
}

export interface UsersRepository {
  /** Null when the e-mail address is taken. */
  insert(user: Omit<User, 'createdAt'>): Promise<User | null>;
  findByEmail(email: string): Promise<User | null>;
  exists(id: string): Promise<boolean>;
}

export function createUsersRepository(connection: Connection): UsersRepository {
  const users = createUserModel(connection);
  return {
    async insert({ id, ...fields }) {
      try {
        const created = await users.create({ _id: id, ...fields });
        return toUser(created);
      } catch (error) {
        if (isDuplicateKey(error)) return null;
        throw error;
      }
    },

    async findByEmail(email) {
      const found = await users.findOne({ email }).lean();
      return found && toUser(found);
    },

    async exists(id) {
      return (await users.exists({ _id: id })) !== null;
    },
  };
}

function toUser({ _id, email, name, role, passwordHash, createdAt }: UserDocument): User {
  return { id: _id, email, name, role, passwordHash, createdAt };
}
