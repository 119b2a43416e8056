/** Everything that the fuzzer is told to expect in place of its own expectations, with the reasons. */

/**
 * All checks are on; these expect more answers. A request that fits the document may still get a "no" of the
 * business, and then what is wrong is the state of the shop, never the request: 400 stays a failure.
 */
export const CHECKS: Readonly<Record<string, { 'expected-statuses': string[] }>> = {
  positive_data_acceptance: {
    'expected-statuses': [
      '2xx',
      '3xx',
      '401',
      '403',
      '404',
      '409',
      '429',
      '402', // the payment is declined
      '412', // If-Match names another version
      '422', // no such product, products in two currencies, a key that was used for another order
    ],
  },
  missing_required_header: {
    'expected-statuses': [
      '400',
      '401',
      '403',
      '406',
      '415',
      '422',
      '428', // Precondition Required (RFC 6585) is what a missing If-Match is answered with
    ],
  },
};

/**
 * What the document cannot say, so that a request may fit it and yet be refused with 400: exactly these mistakes, as the
 * problem's `errors` names them, and no other one beside them.
 */
export const REFUSALS: readonly { path: string; message: string; why: string }[] = [
  {
    path: 'cursor',
    message: 'must be a nextCursor of this list; leave it out for the first page',
    why: 'a cursor is opaque: only what the list gave out is one',
  },
  {
    path: 'customerId',
    message: 'is for ADMINs only: leave it out',
    why: 'there is one document for all roles',
  },
  {
    path: 'customerId',
    message: 'must be the id of a user',
    why: 'only the database knows who is one',
  },
  {
    path: 'currentPassword',
    message: 'is not the current password',
    why: 'only the database knows it',
  },
  {
    path: 'expiresAt',
    message: 'must be in the future',
    why: 'the document does not know what time it is',
  },
];

/**
 * Operations that may end or change the session of the run itself, by method and path: they are fuzzed as well, but
 * in a run of their own as users whom nothing else needs. After each run its session has to be good still.
 */
export const ENDS_SESSIONS: readonly { operation: string; why: string }[] = [
  { operation: 'PATCH /users/me', why: 'changes the own password, which ends other sessions' },
  { operation: 'PATCH /users/{id}', why: 'disables users and changes their roles' },
];
