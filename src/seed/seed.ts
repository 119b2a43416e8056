import type { Connection, Model } from 'mongoose';
import type { Config } from '../config';
import { isDuplicateKey } from '../mongodb/errors';
import { createProductServiceModel, derivedFrom } from '../product-service/product-service.model';
import { DEMO_PASSWORD, DEMO_USERS } from '../users/demo-users';
import { hashPassword } from '../users/passwords/password';
import { createUserModel } from '../users/users.model';
import { DEMO_CATALOGUE } from './catalogue';

/**
 * Adds the demo data and returns how much was missing.
 * @throws {Error} in production, because the password is published
 */
export async function seed(
  connection: Connection,
  env: Config['env'],
): Promise<{ users: number; entries: number }> {
  if (env === 'production') {
    throw new Error(
      'The demo users have a published password: seed them in development, never in production.',
    );
  }
  return { users: await seedUsers(connection), entries: await seedCatalogue(connection) };
}

async function seedUsers(connection: Connection): Promise<number> {
  const users = createUserModel(connection);
  await users.createIndexes();
  let added = 0;
  for (const { _id, ...fields } of DEMO_USERS) {
    if (await users.exists({ confirmedEmail: fields.email })) continue;
    const passwordHash = await hashPassword(DEMO_PASSWORD);
    added += await insertOnce(users, _id, {
      ...fields,
      confirmedEmail: fields.email,
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
  for (const { _id, available, priceIncludesTax = false, ...fields } of DEMO_CATALOGUE) {
    const isProduct = available !== undefined;
    added += await insertOnce(entries, _id, {
      ...fields,
      ...derivedFrom(fields),
      priceIncludesTax,
      stockRevision: 0,
      stockReceived: available ?? 0,
      kind: isProduct ? 'product' : 'service',
      stock: isProduct ? { available, reserved: 0 } : null,
      isActive: true,
      version: 1,
    });
  }
  return added;
}

/**
 * Inserts the document unless another one has its id, e-mail address or SKU, and returns the number of inserted
 * documents.
 */
async function insertOnce<T>(model: Model<T>, _id: string, fields: object): Promise<number> {
  try {
    const now = new Date();
    const insertion = { $setOnInsert: { ...fields, createdAt: now, updatedAt: now } };
    // By default mongoose would change updatedAt of the existing document.
    const options = { upsert: true, timestamps: false };
    const { upsertedCount } = await model.updateOne({ _id } as never, insertion, options);
    return upsertedCount;
  } catch (error) {
    if (isDuplicateKey(error)) return 0;
    throw error;
  }
}
