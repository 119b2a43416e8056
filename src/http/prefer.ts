const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const WORD = `(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*")`;
const PARAMETER = `${TOKEN}(?:[ \\t]*=[ \\t]*${WORD})?`;
/** One preference of RFC 7240, 2: its name, its value, and parameters that no preference of ours has. */
const PREFERENCE = new RegExp(
  `(${TOKEN})(?:[ \\t]*=[ \\t]*(${WORD}))?[ \\t]*(?:;[ \\t]*(?:${PARAMETER}[ \\t]*)?)*(?:,[ \\t,]*|$)`,
  'y',
);

/**
 * Returns the preferences of a Prefer header by their names in lower case; one without a value has an empty one. The first
 * of several with one name counts. A header that is malformed has none, since preferences are optional.
 */
export function preferencesOf(header = ''): ReadonlyMap<string, string> {
  const preferences = new Map<string, string>();
  const text = header.replace(/^[ \t,]+/, ''); // a list may have empty elements
  PREFERENCE.lastIndex = 0;
  while (PREFERENCE.lastIndex < text.length) {
    const found = PREFERENCE.exec(text);
    if (!found) return new Map();
    const [, name, value = ''] = found;
    const key = name!.toLowerCase();
    if (!preferences.has(key)) preferences.set(key, unquoted(value));
  }
  return preferences;
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word;
}
