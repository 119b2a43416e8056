import type { DataConverter } from '@temporalio/common';
import type { PayloadKey } from '../config/payload-keys';
import { createPayloadCodec, type CustomerKeys } from './payload-codec';

/** Makes the converter that clients and workers share. The workflow bundle of a worker has to match it. */
export function createDataConverter(keys: readonly PayloadKey[], customerKeys?: CustomerKeys): DataConverter {
  return {
    payloadCodecs: [createPayloadCodec(keys, customerKeys)],
    ...(keys.length > 0 && { failureConverterPath: require.resolve('./encoded-failures') }),
  };
}
