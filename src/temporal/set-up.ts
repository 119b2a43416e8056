import { status } from '@grpc/grpc-js';
import type { WorkflowService } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract';
import { grpcError, isForbidden, lacksNamespace, textOf } from './errors';

/** Returns the error with what to do about it, if Temporal was never set up for this: clients can do nothing about it. */
export function explained(error: unknown, namespace?: string): unknown {
  if (lacksNamespace(error)) {
    const name = error instanceof NamespaceNotFoundError ? error.namespace : namespace;
    return new Error(
      `Temporal has no namespace${name ? ` ${name}` : ''}: correct TEMPORAL_NAMESPACE, or create it and run npm run setup.`,
      { cause: error },
    );
  }
  if (lacksSearchAttribute(error))
    return new Error('The namespace lacks search attributes: run npm run setup.', { cause: error });
  return error;
}

function lacksSearchAttribute(error: unknown): boolean {
  const answer = grpcError(error);
  return answer?.code === status.INVALID_ARGUMENT && /search attribute/i.test(textOf(answer));
}

/** A query that names each search attribute, and finds nothing. */
const NAMES_ALL = [
  "WorkflowId = ''",
  ...Object.values(SEARCH_ATTRIBUTES).map(({ name }) => `${name} IS NOT NULL`),
].join(' AND ');

type Asked = Pick<WorkflowService, 'describeNamespace' | 'listWorkflowExecutions'>;

/**
 * Returns what checks that Temporal answers for the namespace, and that this has the search attributes; once it has, they are
 * not asked for any more.
 * @throws {Error} that says what to do
 */
export function createNamespaceCheck(namespace: string): (service: Asked) => Promise<void> {
  let hasAttributes = false;
  return async (service) => {
    try {
      await service.describeNamespace({ namespace });
      hasAttributes ||= await requireAttributes(service);
    } catch (error) {
      throw explained(error, namespace);
    }
  };

  async function requireAttributes(service: Asked): Promise<true> {
    try {
      await service.listWorkflowExecutions({ namespace, pageSize: 1, query: NAMES_ALL });
    } catch (error) {
      if (!isForbidden(error)) throw error; // without the permission to ask, it shows when an order is started
    }
    return true;
  }
}
