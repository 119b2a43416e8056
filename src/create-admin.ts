/** Creates an ADMIN, for a shop without one: `npm run user:create-admin -- --email ada@shop.example --name Ada`. */
import { runEntry } from './process/entry';
import { loadConfig } from './config';
import { createAdmin, disableDemoUsers, parseOptions, removeTotp } from './create-admin/create-admin';
import { readPassword } from './create-admin/read-password';
import { createProcessLogger } from './process/logger';
import { openMongoDb } from './mongodb/mongodb';
import { createSecondFactorRepository } from './users/second-factor/second-factors.repository';
import { createUserModel } from './users/users.model';
import { createUsersRepository } from './users/users.repository';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const config = loadConfig('setup', env);
  const logger = createProcessLogger(config, 'create-admin');
  const mongodb = openMongoDb(config.mongodb, logger);
  try {
    await mongodb.connected;
    await createUserModel(mongodb.connection).createIndexes(); // addresses are not unique without them
    const users = createUsersRepository(mongodb.connection);
    if (options === 'disable-demo-users') {
      await disableDemoUsers(users);
      logger.info('the demo users are disabled');
    } else if (options.removeTotp) {
      const userId = await removeTotp(users, createSecondFactorRepository(mongodb.connection), options.email);
      logger.info({ userId }, 'the authenticator app is removed');
    } else {
      const userId = await createAdmin(users, options, readPassword);
      logger.info({ userId }, 'the user is an ADMIN');
    }
  } finally {
    await mongodb.close();
  }
}

runEntry(main);
