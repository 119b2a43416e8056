/**
 * Phrases that have to be translated before they are understood, each with what to write instead. CONTRIBUTING.md
 * ("Style") explains them with examples.
 */
export const GLOSSARY = {
  'of before': 'earlier, from earlier releases',
  'unless told': 'defaults to',
  'is none': 'is invalid, does not exist',
  'are none': 'are invalid, do not exist',
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
  'takes up': 'resumes',
  'taken up': 'resumed',
  'at work on': 'running, working on',
  'in clear': 'unencrypted',
  'by itself': 'automatically, alone',
  'by themselves': 'automatically, separately',
  'for ever': 'permanently',
  'for so long': 'for this long',
  'not there yet': 'missing, not available yet',
  'what became of': 'the outcome of',
};
