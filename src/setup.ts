/** Prepares MongoDB (indexes) and Temporal (search attributes). Run before a new version starts; safe to repeat. */
import { Connection } from '@temporalio/client';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes';
import type { Connection as MongooseConnection } from 'mongoose';
import { loadConfig } from './config/config';
import { createLogger } from './logger/logger';
import { openMongoDb } from './mongodb/mongodb';
import { createOrderModel } from './orders/orders.model';
import {
  createProductServiceModel,
  createStockAdjustmentModel,
} from './product-service/product-service.model';
import { createUserModel } from './users/users.model';
import { SEARCH_ATTRIBUTES } from '../workflows/contract';

/** Creates the collections, which transactions want to exist, and their indexes. */
export async function createIndexes(connection: MongooseConnection): Promise<void> {
  const models = [
    createOrderModel(connection),
    createProductServiceModel(connection),
    createStockAdjustmentModel(connection),
    createUserModel(connection),
  ];
  for (const model of models) {
    await model.createCollection();
    await model.createIndexes();
  }
}

/** Registers the search attributes that the namespace lacks, and waits until the server knows them. */
export async function createSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(SEARCH_ATTRIBUTES).filter(({ name }) => !(name in customAttributes));
  if (missing.length > 0) {
    const searchAttributes = Object.fromEntries(
      missing.map(({ name, type }) => [name, encodeSearchAttributeIndexedValueType(type)!]),
    );
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  }
  return missing.map(({ name }) => name);
}

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger(config).child({ process: 'setup' });
  const mongodb = openMongoDb(config.mongodb, logger);
  const connection = await Connection.connect({ address: config.temporal.address });
  try {
    await mongodb.connected;
    await createIndexes(mongodb.connection);
    const added = await createSearchAttributes(connection, config.temporal.namespace);
    logger.info({ searchAttributes: added }, 'set up');
  } finally {
    await connection.close();
    await mongodb.close();
  }
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`The set-up failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
