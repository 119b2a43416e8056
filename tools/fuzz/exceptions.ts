/** Where the fuzzer has to expect something else than by default, with the reasons. */

/**
 * All checks are on; these expect more statuses. A valid request may still be rejected by the business,
 * because of the state of the shop and never because of the request: 400 remains a failure.
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
      '410', // the feed of events does not have the position
      '412', // If-Match names another version
      '422', // no such product, products in two currencies, or a key that was used for another order
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
      '428', // If-Match is missing: Precondition Required (RFC 6585)
    ],
  },
};

/**
 * What the document cannot express, so that a request may fit it and be rejected with 400: exactly these
 * mistakes, as the problem's `errors` has them, and no others beside them. The path `*` stands for any, and messages are
 * regular expressions.
 */
export const REJECTIONS: readonly { path: string; message: string; why: string }[] = [
  {
    path: 'cursor',
    message: 'must be a nextCursor of this list; leave it out for the first page',
    why: 'a cursor is opaque, and only the list issues them',
  },
  {
    path: 'isActive',
    message: 'must be true, or left out: retired entries are for ADMINs only',
    why: 'there is one document for all roles',
  },
  {
    path: 'sku',
    message:
      'sku must have letters and digits of any script, spaces and . _ / - \\+ : # & only, and start with a letter or digit',
    why: 'the dialects of regular expressions disagree on what a letter is',
  },
  {
    path: 'customerId',
    message: 'is for ADMINs only: leave it out',
    why: 'there is one document for all roles',
  },
  ...['email', 'archived', 'items', 'internalNote'].map((path) => ({
    path,
    message: 'is for ADMINs only: leave it out',
    why: 'there is one document for all roles',
  })),
  {
    path: 'email',
    message: 'is for guests only: leave it out|is required of a guest',
    why: 'there is one document for guests and users',
  },
  ...[
    ['to', 'from'],
    ['updatedTo', 'updatedFrom'],
  ].map(([path, beginning]) => ({
    path: path!,
    message: `${path} must be after ${beginning}`,
    why: 'a schema cannot compare two parameters',
  })),
  {
    path: 'from',
    message: 'must be before to, and in the past',
    why: 'a schema can compare neither two fields nor one with the time of the request',
  },
  {
    path: 'customerId',
    message: 'must be the id of a user',
    why: 'only the database knows the users',
  },
  {
    path: 'password',
    message:
      'password is one of the most common passwords, perhaps repeated or with digits at its end: choose another|' +
      'is made of your name, your e-mail address or the name of the shop: choose another|' +
      'is the one that you have already: choose another',
    why: 'a schema cannot list a million passwords, nor compare two fields',
  },
  {
    path: 'token',
    message: 'is not valid, or not any more: ask for another mail',
    why: 'only mails have the tokens',
  },
  {
    path: 'code',
    message: 'is wrong or was used before: wait for the next one',
    why: 'only an authenticator app knows it',
  },
  {
    path: 'customerId',
    message: 'must be the id of a user who has confirmed the e-mail address',
    why: 'only the database knows it',
  },
  {
    path: 'currentPassword',
    message: 'is not the current password',
    why: 'only the database knows it',
  },
  {
    path: 'unitPrice',
    message: 'is not possible: cards are charged in multiples of [0-9.]+ [A-Z]{3}, so choose .+',
    why: 'what cards can be charged depends on the currency, which a change does not name',
  },
  {
    path: 'if-match',
    message: 'if-match must be an ETag as the API sent it, quotes included, for example "3"',
    why: 'the fuzzer sends 0 for an optional header whose pattern it cannot shorten, though the pattern excludes it',
  },
  {
    path: 'taxRateBps',
    message: 'taxRateBps must have at most two decimals',
    why: 'binary fractions are no exact multiples of 0.01, so `multipleOf` would reject rates that the API takes',
  },
  {
    path: 'expiresAt',
    message: 'must be in the future',
    why: 'the document does not know what time it is',
  },
  {
    path: '*',
    message:
      '\\w+ (has U\\+[0-9A-F]{4,6}, a control or invisible character: remove it|must have something visible)',
    why: 'whether a joiner or a selector has a meaning depends on the characters beside it',
  },
];

/**
 * Operations that may end the session of the run itself, by method and path. They are fuzzed in a run of
 * their own, as users that nothing else needs. After each run its session has to be valid.
 */
export const ENDS_SESSIONS: readonly { operation: string; why: string }[] = [
  { operation: 'PATCH /users/me', why: 'changes the password of the caller, which ends other sessions' },
  { operation: 'DELETE /users/me/sessions', why: 'ends all other sessions of the caller' },
  { operation: 'DELETE /users/me/sessions/{id}', why: 'ends a session of the caller' },
  { operation: 'PATCH /users/{id}', why: 'disables users and changes their roles' },
  { operation: 'POST /users/{id}/erase', why: 'closes accounts permanently' },
];
