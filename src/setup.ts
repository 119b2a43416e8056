/** Prepares MongoDB (indexes) and Temporal (search attributes). Run before a new version starts; safe to repeat. */
import { Connection } from '@temporalio/client';
import { encodeSearchAttributeIndexedValueType } from './temporal/internals';
import { searchAttributesCommand } from './temporal/search-attributes';
import type { Connection as MongooseConnection } from 'mongoose';
import { setTimeout as delay } from 'node:timers/promises';
import { createApiKeyModel } from './api-keys/api-keys.model';
import { createLoginFailuresModel } from './users/passwords/login-failures.model';
import { createSessionModel } from './users/sessions/sessions.model';
import { runEntry } from './common/entry';
import { loadConfig } from './config';
import { createLogger } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import { isDuplicateKey } from './mongodb/errors';
import { createOrderModel } from './orders/orders.model';
import {
  createProductServiceModel,
  createStockAdjustmentModel,
} from './product-service/product-service.model';
import { createPaymentEventModel } from './payments/stripe/events.model';
import {
  createSandboxAttemptsModel,
  createSandboxPaymentModel,
  createSandboxSwitchModel,
} from './payments/sandbox/model';
import { createStripePaymentModel } from './payments/stripe/model';
import { createUserModel } from './users/users.model';
import { SEARCH_ATTRIBUTES } from '../workflows/contract';

/** Creates the collections, which transactions want to exist, and their indexes. */
export async function createIndexes(connection: MongooseConnection): Promise<void> {
  const models = [
    createOrderModel(connection),
    createProductServiceModel(connection),
    createStockAdjustmentModel(connection),
    createUserModel(connection),
    createSessionModel(connection),
    createLoginFailuresModel(connection),
    createApiKeyModel(connection),
    createSandboxPaymentModel(connection),
    createSandboxAttemptsModel(connection),
    createSandboxSwitchModel(connection),
    createStripePaymentModel(connection),
    createPaymentEventModel(connection),
  ];
  for (const model of models) {
    await model.createCollection();
    await model.createIndexes().catch((error: unknown) => {
      throw isDuplicateKey(error) ? duplicates(model.collection.name, error) : error;
    });
  }
}

function duplicates(collection: string, cause: unknown): Error {
  const { keyValue } = cause as { keyValue?: object };
  return new Error(
    `The index cannot be made: several documents of ${collection} have ${JSON.stringify(keyValue)}. ` +
      'Change or remove all but one of them, then run it again.',
    { cause },
  );
}

/** Registers the search attributes that the namespace lacks, and returns their names. */
export async function createSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  try {
    const { operatorService } = connection;
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter(({ name }) => !(name in customAttributes));
    const types = missing.map(({ name, type }) => [name, encodeSearchAttributeIndexedValueType(type)!]);
    const searchAttributes = Object.fromEntries(types) as Record<string, number>;
    if (missing.length > 0) await operatorService.addSearchAttributes({ namespace, searchAttributes });
    return missing.map(({ name }) => name);
  } catch (cause) {
    throw new Error(
      `The search attributes of namespace ${namespace} cannot be set up (${(cause as Error).message}). ` +
        `Let an administrator of Temporal run: ${searchAttributesCommand(namespace)}`,
      { cause },
    );
  }
}

const CONNECT_TIMEOUT_MS = 30_000;

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig('setup', env);
  const logger = createLogger(config).child({ process: 'setup' });
  const mongodb = openMongoDb(config.mongodb, logger);
  const { address, namespace, security } = config.temporal;
  const connection = Connection.lazy({
    address,
    ...security,
    connectTimeout: CONNECT_TIMEOUT_MS,
    metadata: { 'temporal-namespace': namespace }, // Temporal Cloud asks for it; the SDK tells the operator service not
  });
  try {
    await inTime(mongodb.connected, 'MongoDB does not answer: start it, or correct MONGODB_URI.');
    await createIndexes(mongodb.connection);
    await inTime(
      connection.ensureConnected(),
      `Temporal does not answer at ${address}: start it, or correct TEMPORAL_ADDRESS, TEMPORAL_TLS…, TEMPORAL_API_KEY.`,
    );
    const added = await createSearchAttributes(connection, namespace);
    logger.info({ searchAttributes: added }, 'set up');
  } finally {
    await connection.close();
    await mongodb.close();
  }
}

async function inTime(connected: Promise<void>, otherwise: string): Promise<void> {
  const late = delay(CONNECT_TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error('time is over');
  });
  await Promise.race([connected, late]).catch((cause: unknown) => {
    throw new Error(otherwise, { cause });
  });
}

runEntry(require.main === module, main);
