const QUOTE = 34;
const BACKSLASH = 92;

/** What a scan is inside of: the keys of an object so far and the last of them, or the number of an element. */
type Level = { keys: Set<string>; key: string } | { index: number };

/**
 * Returns the path of the first key that an object in the JSON text has twice, for example `items.0.quantity`, or
 * undefined. JSON.parse keeps the last value of such a key, and other parsers the first.
 * @param json a valid JSON text
 */
export function duplicateKey(json: string): string | undefined {
  const levels: Level[] = [];
  let text = { from: 0, to: 0 };
  for (let at = 0; at < json.length; at++) {
    const level = levels.at(-1);
    switch (json.charCodeAt(at)) {
      case QUOTE:
        text = { from: at, to: endOfString(json, at) };
        at = text.to - 1;
        break;
      case 58: // ":" follows a key
        if (!level || !('keys' in level)) break;
        level.key = JSON.parse(json.slice(text.from, text.to)) as string;
        if (level.keys.has(level.key)) return pathOf(levels);
        level.keys.add(level.key);
        break;
      case 44: // ","
        if (level && 'index' in level) level.index++;
        break;
      case 123: // "{"
        levels.push({ keys: new Set(), key: '' });
        break;
      case 91: // "["
        levels.push({ index: 0 });
        break;
      case 125: // "}"
      case 93: // "]"
        levels.pop();
    }
  }
  return undefined;
}

/** Returns the position after the closing quote: the first one that an even number of backslashes precedes. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}

function pathOf(levels: readonly Level[]): string {
  return levels.map((level) => ('keys' in level ? level.key : level.index)).join('.');
}
