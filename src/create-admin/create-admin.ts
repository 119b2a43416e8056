import Joi from 'joi';
import { parseArgs } from 'node:util';
import { newId } from '../common/ids';
import { Role } from '../role/role';
import { hashPassword } from '../users/passwords/password';
import type { UsersRepository } from '../users/users.repository';
import { email, name, newPassword } from '../users/users.schema';

const USAGE =
  'Usage: npm run user:create-admin -- --email <address> --name <name>, with the password on standard input; or ' +
  '--email <address> --promote for an existing user.';

export interface AdminOptions {
  email: string;
  name: string;
  /** Makes an existing user an ADMIN. */
  promote: boolean;
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

/** @throws {Error} with the usage */
export function parseOptions(args: string[]): AdminOptions {
  const { values } = parseArgs({
    args,
    options: { email: { type: 'string' }, name: { type: 'string' }, promote: { type: 'boolean' } },
  });
  if (values.email === undefined) throw new Error(USAGE);
  return { email: values.email, name: values.name ?? '', promote: values.promote ?? false };
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
  const user = await users.insert({
    id: newId('usr'),
    email: value.email,
    name: value.name,
    role: Role.ADMIN,
    passwordHash: await hashPassword(value.password),
  });
  if (!user) throw new Error('There is already an account with this address: use --promote.');
  return user.id;
}

async function promote(users: UsersRepository, address: string): Promise<string> {
  const user = await users.findByEmail(Joi.attempt(address, email.required()));
  if (!user) throw new Error('There is no account with this address: omit --promote to create one.');
  if (user.status === 'disabled')
    throw new Error('This account is disabled: have an ADMIN enable it first, or create another account.');
  await users.change(user.id, { role: Role.ADMIN });
  return user.id;
}
