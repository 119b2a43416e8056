import type { Origin } from '../../src/domain/audit';

/** Who makes the changes of tests. */
export const TEST_ORIGIN: Origin = { by: 'test', requestId: null, address: null };
