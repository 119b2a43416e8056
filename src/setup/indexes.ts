import type { Connection, IndexDefinition, IndexOptions, mongo } from 'mongoose';
import { createCartModel } from '../carts/carts.model';
import { createApiKeyModel } from '../users/api-keys.model';
import { createAuditDayModel, createAuditModel } from '../audit/audit.model';
import { isDuplicateKey } from '../mongodb/errors';
import { createAvailabilityModel, createEventModel, createRelayModel } from '../events/events.model';
import { createAuditFindingModel } from '../orders-audit/findings.model';
import { createAnsweredCommandModel } from '../orders/answered-commands.model';
import { createOrderModel } from '../orders/orders.model';
import { createPaymentActionModel } from '../payments/actions.model';
import {
  createSandboxAttemptsModel,
  createSandboxPaymentModel,
  createSandboxSwitchModel,
} from '../payments/sandbox/model';
import { createUnpaidOrdersModel } from '../orders/unpaid-orders.model';
import { createDeclineModel } from '../payments/declines/declines.model';
import { createFindingModel } from '../payments/findings/findings.model';
import { createPaymentEventModel } from '../payments/stripe/events.model';
import { createStripePaymentModel } from '../payments/stripe/model';
import {
  createProductServiceModel,
  createStockAdjustmentModel,
} from '../product-service/product-service.model';
import { createDataKeyModel } from '../temporal/data-keys/model';
import { createAttemptsModel } from '../users/passwords/attempts.model';
import { createAccountTokenModel } from '../users/account/account-tokens.model';
import { createSecondFactorModel } from '../users/second-factor/second-factors.model';
import { createSessionModel } from '../users/sessions/sessions.model';
import { createUpkeepModel } from '../upkeep/upkeep.model';
import { createUserModel } from '../users/users.model';
import { createDeliveryModel, createDispatchModel, createEndpointModel } from '../webhooks/webhooks.model';

/** Creates the collections, which have to exist before a transaction uses them, and their indexes. */
export async function createIndexes(connection: Connection): Promise<void> {
  const models = [
    createOrderModel(connection),
    createAnsweredCommandModel(connection),
    createUnpaidOrdersModel(connection),
    createCartModel(connection),
    createProductServiceModel(connection),
    createStockAdjustmentModel(connection),
    createUserModel(connection),
    createAuditModel(connection),
    createAuditDayModel(connection),
    createAccountTokenModel(connection),
    createSecondFactorModel(connection),
    createSessionModel(connection),
    createAttemptsModel(connection),
    createApiKeyModel(connection),
    createSandboxPaymentModel(connection),
    createSandboxAttemptsModel(connection),
    createSandboxSwitchModel(connection),
    createStripePaymentModel(connection),
    createPaymentEventModel(connection),
    createDeclineModel(connection),
    createPaymentActionModel(connection),
    createFindingModel(connection),
    createAuditFindingModel(connection),
    createDataKeyModel(connection),
    createEventModel(connection),
    createRelayModel(connection),
    createAvailabilityModel(connection),
    createEndpointModel(connection),
    createDeliveryModel(connection),
    createDispatchModel(connection),
    createUpkeepModel(connection),
  ];
  for (const model of models) {
    await model.createCollection();
    const indexes = indexesOf(model.schema);
    if (indexes.length === 0) continue;
    await model.collection.createIndexes(indexes).catch((error: unknown) => {
      throw isDuplicateKey(error) ? duplicatesError(model.collection.name, error) : error;
    });
  }
}

/** Returns the indexes as the driver takes them, all at once: Mongoose would send one command for each. */
function indexesOf(schema: { indexes(): [IndexDefinition, IndexOptions][] }): mongo.IndexDescription[] {
  return schema.indexes().map(([key, options]) => ({ ...options, key }) as mongo.IndexDescription);
}

function duplicatesError(collection: string, cause: unknown): Error {
  const { keyValue } = cause as { keyValue?: object };
  return new Error(
    `The index cannot be created: several documents of ${collection} have ${JSON.stringify(keyValue)}. ` +
      'Change or remove all but one of them, then run it again.',
    { cause },
  );
}
