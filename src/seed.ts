/** Puts demo users and a small catalogue into a development database. Safe to repeat: what is there stays. */
import type { Connection, Model } from 'mongoose';
import { runEntry } from './common/entry';
import { loadConfig, type Config } from './config';
import { createLogger } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import { isDuplicateKey } from './mongodb/errors';
import {
  createProductServiceModel,
  type ProductServiceDocument,
} from './product-service/product-service.model';
import { Role, type UserRole } from './role/role';
import { hashPassword } from './users/passwords/password';
import { createUserModel } from './users/users.model';

export const DEMO_PASSWORD = 'orders-demo-2026';

// Fixed ids, so that the examples of the API description work as they stand.
export const DEMO_USERS: readonly { _id: string; email: string; name: string; role: UserRole }[] = [
  { _id: 'usr_01HZX000000000000000ADM1N0', email: 'admin@example.com', name: 'Admin', role: Role.ADMIN },
  { _id: 'usr_01HZX000000000000000A11CE0', email: 'alice@example.com', name: 'Alice', role: Role.CUSTOMER },
  { _id: 'usr_01HZX0000000000000000B0B00', email: 'bob@example.com', name: 'Bob', role: Role.CUSTOMER },
];

type DemoEntry = Pick<
  ProductServiceDocument,
  '_id' | 'sku' | 'name' | 'description' | 'unitPrice' | 'currency'
> &
  Partial<Pick<ProductServiceDocument, 'taxRateBps'>> & { available?: number };

/** Entries with units at hand are products, the others services. */
export const DEMO_CATALOGUE: readonly DemoEntry[] = [
  entry('TSHRTM00', 'TSHIRT-M', 'T-shirt, M', 'Organic cotton, navy', 1_999, 'EUR', 1_900, 1_000),
  entry('MVG00000', 'MUG', 'Mug', 'Stoneware, 350 ml', 1_250, 'EUR', 1_900, 500),
  entry('B00K0000', 'BOOK-KOA', 'Koa in Practice', 'Paperback, 320 pages', 3_490, 'EUR', 700, 200),
  entry('G1FTWRAP', 'GIFT-WRAP', 'Gift wrapping', 'Paper, ribbon and a card', 490, 'EUR', 1_900),
  entry('HEADSET0', 'HEADSET', 'Headset', 'Wireless, over-ear', 12_900, 'USD', 0, 100),
  entry('SETVP000', 'SETUP', 'Set-up by phone', 'One hour with a technician', 6_000, 'USD', 0),
];

function entry(
  idEnd: string,
  sku: string,
  name: string,
  description: string,
  unitPrice: number,
  currency: string,
  taxRateBps: number,
  available?: number,
): DemoEntry {
  return {
    _id: `ps_01HZX0000000000000${idEnd}`,
    sku,
    name,
    description,
    unitPrice,
    currency,
    taxRateBps,
    available,
  };
}

/** @throws in production: everybody knows these passwords. */
export async function seed(
  connection: Connection,
  env: Config['env'],
): Promise<{ users: number; entries: number }> {
  if (env === 'production') {
    throw new Error('The demo data has known passwords: it is for development, never for production.');
  }
  return { users: await seedUsers(connection), entries: await seedCatalogue(connection) };
}

async function seedUsers(connection: Connection): Promise<number> {
  const users = createUserModel(connection);
  await users.createIndexes();
  let added = 0;
  for (const { _id, ...fields } of DEMO_USERS) {
    if (await users.exists({ email: fields.email })) continue;
    const passwordHash = await hashPassword(DEMO_PASSWORD);
    added += await insertOnce(users, _id, {
      ...fields,
      passwordHash,
      status: 'active',
      tokenVersion: 0,
      keptSessionId: null,
    });
  }
  return added;
}

async function seedCatalogue(connection: Connection): Promise<number> {
  const entries = createProductServiceModel(connection);
  await entries.createIndexes();
  let added = 0;
  for (const { _id, available, ...fields } of DEMO_CATALOGUE) {
    const isProduct = available !== undefined;
    added += await insertOnce(entries, _id, {
      ...fields,
      kind: isProduct ? 'product' : 'service',
      stock: isProduct ? { available, reserved: 0 } : null,
      isActive: true,
      version: 1,
    });
  }
  return added;
}

/** Adds what is not there; what took its id, e-mail address or sku meanwhile stays. Returns how many were added. */
async function insertOnce<T>(model: Model<T>, _id: string, fields: object): Promise<number> {
  try {
    const now = new Date();
    const insertion = { $setOnInsert: { ...fields, createdAt: now, updatedAt: now } };
    // Left to itself, mongoose would move updatedAt of what is there.
    const options = { upsert: true, timestamps: false };
    const { upsertedCount } = await model.updateOne({ _id } as never, insertion, options);
    return upsertedCount;
  } catch (error) {
    if (isDuplicateKey(error)) return 0;
    throw error;
  }
}

/** The whole run, from the environment. */
export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('setup', env);
  const logger = createLogger(config).child({ process: 'seed' });
  const mongodb = openMongoDb(config.mongodb, logger);
  try {
    await mongodb.connected;
    logger.info(await seed(mongodb.connection, config.env), 'seeded');
  } finally {
    await mongodb.close();
  }
}

runEntry(require.main === module, main);
