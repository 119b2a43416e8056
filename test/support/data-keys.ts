import type { Connection } from 'mongoose';
import type { PayloadKey } from '../../src/config/payload-keys';
import { createDataKeys } from '../../src/temporal/data-keys/data-keys';
import { createDataKeyRepository } from '../../src/temporal/data-keys/repository';
import { HANG_MS } from './eventually';

/** The data keys of customers as a process has them that waits for MongoDB however busy the machine is. */
export function patientDataKeys(connection: Connection, payloadKeys: readonly PayloadKey[]) {
  return createDataKeys({
    repository: createDataKeyRepository(connection),
    payloadKeys,
    patienceMs: HANG_MS,
  });
}
