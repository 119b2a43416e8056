/** Words in secrets that were copied from a sample or typed by hand. */
const WORDS = [
  'secret|string|signing|sign|jwt|token|keys?|password|passw0rd|passphrase|private|production|development|staging',
  'change|replace|example|sample|default|insecure|test(?:ing)?|demo|super|very|your|this|long|least|bits?|bytes?|random',
  'orders?|management|system|keyboard|cat|please|hello|world|admin|lorem|ipsum|correct|horse|battery|staple',
  '(?:64|128|256|384|512)(?=\\D|$)',
];
const WORD = new RegExp(WORDS.join('|'), 'gi');
/** The alphabet, the digits and the rows of a keyboard. */
const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];
const RUN = new RegExp(runsOf(ROWS).join('|'), 'gi');
/** This many random characters are 96 bits in base64 and 64 bits in hexadecimal. */
const MIN_REMAINING = 16;
const MIN_DISTINCT = 10;

/** Returns whether a secret could be guessed: too little remains of it without words, runs and repetitions. */
export function isWeakSecret(secret: string): boolean {
  const once = secret.replace(/^(.+?)\1+$/s, '$1');
  const rest = once
    .replace(WORD, '')
    .replace(RUN, '')
    .replace(/[-_\s.]/g, '');
  return (
    rest.length < MIN_REMAINING || new Set(secret).size < MIN_DISTINCT || stepsOf(secret).size < MIN_DISTINCT
  );
}

/** Returns the differences between neighbours, of which bytes that are counted up or down have few. */
function stepsOf(secret: string): Set<number> {
  const codes = Array.from(secret, (character) => character.charCodeAt(0));
  return new Set(codes.slice(1).map((code, n) => code - codes[n]!));
}

/** Returns every sequence of four neighbours, forwards and backwards. */
function runsOf(rows: readonly string[]): string[] {
  const both = rows.flatMap((row) => [row, [...row].reverse().join('')]);
  return both.flatMap((row) => Array.from({ length: row.length - 3 }, (_, n) => row.slice(n, n + 4)));
}
