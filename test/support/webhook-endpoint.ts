import type { Endpoint } from '../../src/webhooks/endpoints.repository';

/** Returns an endpoint as it is stored. */
export function storedEndpoint(some: Pick<Endpoint, 'secrets' | 'createdAt'>): Endpoint {
  return {
    id: 'whe_1',
    url: 'https://erp.example.com/',
    description: null,
    types: ['*'],
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
    replay: null,
    after: 0,
    version: 1,
    createdBy: 'usr_1',
    updatedAt: some.createdAt,
    ...some,
  };
}
