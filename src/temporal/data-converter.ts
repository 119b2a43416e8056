import type { DataConverter } from '@temporalio/common';
import type { PayloadKey } from '../config/payload-keys';
import { createPayloadCodec } from './payload-codec';

/** Makes the converter that clients and workers share. The workflow bundle of a worker has to match it. */
export function createDataConverter(keys: readonly PayloadKey[]): DataConverter {
  return {
    payloadCodecs: [createPayloadCodec(keys)],
    ...(keys.length > 0 && { failureConverterPath: require.resolve('./encoded-failures') }),
  };
}
