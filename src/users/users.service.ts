import { newId } from '../common/ids';
import { AppError } from '../errors/app-error';
import { WWW_AUTHENTICATE } from '../jwt/challenge';
import type { Jwt } from '../jwt/jwt';
import { Role } from '../role/role';
import { hashPassword, verifyPassword } from './password';
import type { User, UsersRepository } from './users.repository';
import type { LoginBody, RegisterBody, Session, UserView } from './users.schema';

export interface UsersService {
  register(input: RegisterBody): Promise<Session>;
  login(input: LoginBody): Promise<Session>;
}

export function createUsersService(users: UsersRepository, jwt: Pick<Jwt, 'issue'>): UsersService {
  const sessionOf = (user: User): Session => ({
    user: present(user),
    ...jwt.issue(user),
  });
  return {
    async register({ email, name, password }) {
      const passwordHash = await hashPassword(password);
      const user = await users.insert({
        id: newId('usr'),
        email,
        name,
        role: Role.CUSTOMER,
        passwordHash,
      });
      if (!user) throw emailTaken();
      return sessionOf(user);
    },

    async login({ email, password }) {
      const user = await users.findByEmail(email);
      const right = await verifyPassword(user?.passwordHash, password);
      if (!user || !right) throw wrongCredentials();
      return sessionOf(user);
    },
  };
}

function present({ id, email, name, role, createdAt }: User): UserView {
  return { id, email, name, role, createdAt: createdAt.toISOString() };
}

function emailTaken(): AppError {
  return new AppError('already_exists', 'There is an account with this e-mail address: log in instead.', {
    errors: [{ path: 'email', message: 'is taken' }],
  });
}

/** The same for an unknown e-mail address and a wrong password. */
function wrongCredentials(): AppError {
  return new AppError('unauthorized', 'The e-mail address or the password is wrong: check both.', {
    headers: WWW_AUTHENTICATE,
  });
}
