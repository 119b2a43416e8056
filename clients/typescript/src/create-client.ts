import type { operations } from './api.generated.js';
import { createClientOf, type ClientOptions, type SignedIn } from './client.js';
import type { Call } from './operation-types.js';
import { OPERATIONS } from './operations.generated.js';

/** A method for each operation of the API, by its `operationId`. */
export type Client = { [Id in keyof typeof OPERATIONS]: Call<operations[Id]> } & SignedIn;

/** Returns a client of the API. Without `tokens` and `apiKey` it is a guest's, until it is told to `useTokens`. */
export function createClient(options: ClientOptions): Client {
  return createClientOf<operations>(OPERATIONS, options);
}
