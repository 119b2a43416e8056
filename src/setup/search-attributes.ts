import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract';
import type { Config } from '../config';
import { encodeSearchAttributeIndexedValueType } from '../temporal/internals';
import { searchAttributesCommand } from '../temporal/search-attributes';

/** Prepares a connection that may change the search attributes; it connects on the first call. */
export function openSetupConnection(
  { address, namespace, security }: Config['temporal'],
  connectTimeout: number,
): Connection {
  return Connection.lazy({
    address,
    ...security,
    connectTimeout,
    // Temporal Cloud requires it, and the SDK does not send it to the operator service.
    metadata: { 'temporal-namespace': namespace },
  });
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
