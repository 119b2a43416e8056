import Joi from 'joi';
import { parseArgs } from 'node:util';
import { newId } from '../common/ids';
import { OPERATOR } from '../domain/audit';
import { Role } from '../role/role';
import { hashPassword } from '../users/passwords/password';
import { DEMO_USERS } from '../users/demo-users';
import { LAST_ADMIN } from '../users/user-status';
import type { SecondFactorRepository } from '../users/second-factor/second-factors.repository';
import type { UsersRepository } from '../users/users.repository';
import { isPersonal } from '../users/passwords/password-rules';
import { email, name, newPassword } from '../users/users.schema';

const USAGE =
  'Usage: npm run user:create-admin -- --email <address> --name <name>, with the password on standard input; or ' +
  '--email <address> --promote for an existing user; or --email <address> --remove-totp for one who has lost the ' +
  'authenticator app and the recovery codes; or --disable-demo-users, once there is an ADMIN besides them.';

export interface AdminOptions {
  email: string;
  name: string;
  /** Makes an existing user an ADMIN. */
  promote: boolean;
  /** Only removes the authenticator app of an existing user. */
  removeTotp: boolean;
}

interface NewAdmin {
  email: string;
  name: string;
  password: string;
}

const newAdmin = Joi.object<NewAdmin, true>({
  email: email.required(),
  name: name.required(),
  password: newPassword.required(),
}).prefs({ abortEarly: false, errors: { wrap: { label: false } } });

/**
 * @returns what to do: `disable-demo-users`, or the ADMIN to create or promote
 * @throws {Error} with the usage
 */
export function parseOptions(args: string[]): AdminOptions | 'disable-demo-users' {
  const { values } = parseArgs({
    args,
    options: {
      email: { type: 'string' },
      name: { type: 'string' },
      promote: { type: 'boolean' },
      'remove-totp': { type: 'boolean' },
      'disable-demo-users': { type: 'boolean' },
    },
  });
  if (values['disable-demo-users'] && Object.keys(values).length === 1) return 'disable-demo-users';
  if (values['disable-demo-users']) throw new Error(USAGE);
  if (values.email === undefined) throw new Error(USAGE);
  const { email: address, name: given, promote: isPromotion, 'remove-totp': isRemoval } = values;
  if ([given !== undefined, isPromotion, isRemoval].filter(Boolean).length > 1) throw new Error(USAGE);
  return {
    email: address,
    name: given ?? '',
    promote: isPromotion ?? false,
    removeTotp: isRemoval ?? false,
  };
}

/**
 * @returns the id of the ADMIN
 * @throws {Error} if the input is invalid, the address is taken, or there is no such user to promote
 */
export async function createAdmin(
  users: UsersRepository,
  options: AdminOptions,
  readPassword: () => Promise<string>,
): Promise<string> {
  return options.promote
    ? promote(users, options.email)
    : insert(users, { email: options.email, name: options.name, password: await readPassword() });
}

async function insert(users: UsersRepository, input: NewAdmin): Promise<string> {
  const { value, error } = newAdmin.validate(input);
  if (error) throw new Error(`${error.message}. ${USAGE}`);
  if (isPersonal(value.password, value))
    throw new Error('The password is made of the name or the e-mail address: choose another.');
  const user = await users.insert({
    id: newId('usr'),
    email: value.email,
    confirmedEmail: value.email,
    name: value.name,
    role: Role.ADMIN,
    passwordHash: await hashPassword(value.password),
  });
  if (!user) throw new Error('There is already an account with this address: use --promote.');
  return user.id;
}

async function promote(users: UsersRepository, address: string): Promise<string> {
  const user = await users.findByEmail(Joi.attempt(address, email.required()));
  if (!user)
    throw new Error(
      'There is no account with this address, or it is not confirmed: omit --promote to create one.',
    );
  if (user.status === 'disabled')
    throw new Error('This account is disabled: have an ADMIN enable it first, or create another account.');
  await users.change(user.id, { role: Role.ADMIN });
  return user.id;
}

/**
 * Removes the authenticator app of a user, who sets up another one then. The audit log tells.
 * @returns the id of the user
 * @throws {Error} if there is no such user, or no app
 */
export async function removeTotp(
  users: Pick<UsersRepository, 'findByEmail'>,
  factors: Pick<SecondFactorRepository, 'remove'>,
  address: string,
): Promise<string> {
  const user = await users.findByEmail(Joi.attempt(address, email.required()));
  if (!user || !(await factors.remove(user.id, OPERATOR)))
    throw new Error('There is no account with this address that has an authenticator app.');
  return user.id;
}

/**
 * Disables the demo users, whose password is published, and so ends their sessions. It needs no API, which is not
 * ready while they are active in production.
 * @throws {Error} if no other active ADMIN would be left
 */
export async function disableDemoUsers(users: UsersRepository): Promise<void> {
  for (const { email: address } of DEMO_USERS) {
    const user = await users.findByEmail(address);
    if (!user) continue;
    if ((await users.change(user.id, { status: 'disabled' })) === LAST_ADMIN)
      throw new Error(`${address} is the last active ADMIN: create another one first. ${USAGE}`);
  }
}
