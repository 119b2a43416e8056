/** What differs from run to run, and the text that stands for it. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/\b\d+(\.\d+)? s\b/g, '<duration>'],
  [/\b(ord|ful|ref)_[0-9a-f]+…?/g, '$1_<id>'],
  [/\bpid \d+/g, 'pid <id>'],
];

function canonical(text: string): string {
  const masked = VARIABLE.reduce((rest, [pattern, name]) => rest.replace(pattern, name), text);
  return masked
    .replace(/\s+/g, ' ')
    .replace(/([{[,:]) | (?=[}\]])/g, '$1') // JSON may be shown on several lines
    .trim();
}

function patternOf(line: string): RegExp {
  const parts = canonical(line)
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('.*?'));
}

/** Returns the first documented line that the output lacks, after the ones before it. */
export function missingLine(documented: string, actual: string): string | undefined {
  let rest = canonical(actual);
  for (const line of documented.split('\n').filter((text) => text.trim() !== '')) {
    const found = patternOf(line).exec(rest);
    if (!found) return line;
    rest = rest.slice(found.index + found[0].length);
  }
  return undefined;
}
