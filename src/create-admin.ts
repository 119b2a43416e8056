/** Makes an ADMIN, for a shop that has none yet: `npm run user:create-admin -- --email ada@shop.example --name Ada`. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import Joi from 'joi';
import { runEntry } from './common/entry';
import { newId } from './common/ids';
import { loadConfig } from './config';
import { createLogger } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import { Role } from './role/role';
import { hashPassword } from './users/passwords/password';
import { createUserModel } from './users/users.model';
import { createUsersRepository, type UsersRepository } from './users/users.repository';
import { email, name, newPassword } from './users/users.schema';

const USAGE =
  'Usage: npm run user:create-admin -- --email <address> --name <name>, the password on standard input; or ' +
  '--email <address> --promote for somebody who has an account.';

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

/** @returns the id of the ADMIN @throws when the input is not usable, or the address is taken */
export async function createAdmin(users: UsersRepository, input: NewAdmin): Promise<string> {
  const { value, error } = newAdmin.validate(input);
  if (error) throw new Error(`${error.message}. ${USAGE}`);
  const passwordHash = await hashPassword(value.password);
  const user = await users.insert({
    id: newId('usr'),
    email: value.email,
    name: value.name,
    role: Role.ADMIN,
    passwordHash,
  });
  if (!user) throw new Error('There is an account with this address already: use --promote.');
  return user.id;
}

/** @returns the id of the ADMIN @throws when there is no such account */
export async function promote(users: UsersRepository, address: string): Promise<string> {
  const user = await users.findByEmail(Joi.attempt(address, email.required()));
  if (!user) throw new Error('There is no account with this address: leave out --promote to make one.');
  if (user.status === 'disabled')
    throw new Error('This account is disabled: an ADMIN has to enable it first, or make another account.');
  await users.change(user.id, { role: Role.ADMIN });
  return user.id;
}

/** From a pipe, or typed unseen. Never an argument: those are seen by everybody on the machine. */
async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, '');
  process.stdout.write('Password of the ADMIN (12 to 128 characters): ');
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({ input: process.stdin, output: unseen, terminal: true });
  const password = await input.question('');
  input.close();
  process.stdout.write('\n');
  return password;
}

export async function main(
  env: NodeJS.ProcessEnv,
  args = process.argv.slice(2),
  read = readPassword,
): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { email: { type: 'string' }, name: { type: 'string' }, promote: { type: 'boolean' } },
  });
  const { email: address, name: called = '' } = values;
  if (address === undefined) throw new Error(USAGE);
  const config = loadConfig('setup', env);
  const logger = createLogger(config).child({ process: 'create-admin' });
  const password = values.promote ? '' : await read();
  const mongodb = openMongoDb(config.mongodb, logger);
  try {
    await mongodb.connected;
    await createUserModel(mongodb.connection).createIndexes(); // before there is one, an address is not unique
    const users = createUsersRepository(mongodb.connection);
    const userId = values.promote
      ? await promote(users, address)
      : await createAdmin(users, { email: address, name: called, password });
    logger.info({ userId }, 'the user is an ADMIN');
  } finally {
    await mongodb.close();
  }
}

runEntry(require.main === module, main);
