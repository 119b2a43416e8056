import type { DataConverter } from '@temporalio/common';
import type { PayloadKey } from '../config/payload-keys';
import { createPayloadCodec } from './payload-codec';

/** How clients and workers turn values into what Temporal stores, and back. A worker's workflow bundle has to match. */
export function createDataConverter(keys: readonly PayloadKey[]): DataConverter {
  return {
    payloadCodecs: [createPayloadCodec(keys)],
    ...(keys.length > 0 && { failureConverterPath: require.resolve('./encoded-failures') }),
  };
}
