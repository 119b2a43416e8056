/** What secrets are made of that were copied from a sample, or typed by hand. */
const WORDS = [
  'secret|string|signing|sign|jwt|token|keys?|password|passw0rd|passphrase|private|production|development|staging',
  'change|replace|example|sample|default|insecure|test(?:ing)?|demo|super|very|your|this|long|least|bits?|bytes?|random',
  'orders?|management|system|keyboard|cat|please|hello|world|admin|lorem|ipsum|correct|horse|battery|staple',
  '(?:64|128|256|384|512)(?=\\D|$)',
];
const WORD = new RegExp(WORDS.join('|'), 'gi');
/** Rows of the keyboard, and what everybody can count. */
const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];
const RUN = new RegExp(runsOf(ROWS).join('|'), 'gi');
/** As many random characters of base64 are 96 bits, of hexadecimal 64. */
const MIN_REMAINING = 16;
const MIN_DISTINCT = 10;

/** Whether a secret could be guessed: too little is left of it without words, runs and repetitions. */
export function isSampleSecret(secret: string): boolean {
  const once = secret.replace(/^(.+?)\1+$/s, '$1');
  const rest = once
    .replace(WORD, '')
    .replace(RUN, '')
    .replace(/[-_\s.]/g, '');
  return rest.length < MIN_REMAINING || new Set(secret).size < MIN_DISTINCT;
}

/** Every piece of four in a row, forwards and backwards. */
function runsOf(rows: readonly string[]): string[] {
  const both = rows.flatMap((row) => [row, [...row].reverse().join('')]);
  return both.flatMap((row) => Array.from({ length: row.length - 3 }, (_, n) => row.slice(n, n + 4)));
}
