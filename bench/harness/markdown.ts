/**
 * Returns a table as Prettier formats it, with the first column left-aligned and the others right-aligned.
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_cell, column) => Math.max(3, ...all.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Returns a chart with horizontal bars, which viewers of Markdown draw by Mermaid. */
export function barChart(axis: string, bars: readonly (readonly [name: string, value: number])[]): string {
  return [
    '```mermaid',
    'xychart-beta horizontal',
    `  x-axis [${bars.map(([name]) => JSON.stringify(name)).join(', ')}]`,
    `  y-axis ${JSON.stringify(axis)}`,
    `  bar [${bars.map(([, value]) => value).join(', ')}]`,
    '```',
  ].join('\n');
}

/** Writes a whole number in groups of three digits: 12 600. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Writes bytes with two digits and a unit: 2.9 GB. */
export function sized(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** power;
  return `${value < 10 ? value.toFixed(1) : grouped(value)} ${UNITS[power]}`;
}

/** Replaces what is between `<!-- name -->` and `<!-- /name -->`. @throws {Error} without such a place */
export function withBlock(document: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0)
    throw new Error(`The document has no place for "${name}": insert ${begin} and ${end}.`);
  return `${document.slice(0, from + begin.length)}\n\n${content}\n\n${document.slice(to)}`;
}
