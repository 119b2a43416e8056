/**
 * Phrases that have to be translated before they are understood, each with what to write instead.
 * CONTRIBUTING.md ("Style") explains them with examples.
 */
export const GLOSSARY = {
  'of before': 'earlier, from earlier releases',
  'unless told': 'defaults to',
  'that is none': 'that is invalid, that does not exist',
  'that are none': 'that are invalid, that do not exist',
  'ended tokens': 'revoked tokens',
  'tokens are ended': 'tokens are revoked',
  somebody: 'another user, the caller, someone',
  whoever: 'the caller, a user who',
  'give back': 'void or refund',
  'gives back': 'voids or refunds',
  'given back': 'voided or refunded',
  'giving back': 'voiding or refunding',
  'goes on': 'continues',
  'go on': 'continue',
  'taken up': 'resumed',
  'at work on': 'running, working on',
  'in clear': 'unencrypted',
  'by itself': 'automatically, alone',
  'by themselves': 'automatically, separately',
  'for ever': 'permanently',
  'for so long': 'for this long',
};
