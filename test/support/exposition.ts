/** A value in the text format of Prometheus. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

export interface Exposition {
  samples: readonly Sample[];
  /** The types by the names of the families. */
  types: ReadonlyMap<string, string>;
  /** Returns the value with exactly these labels; undefined if there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined;
  /** Returns all values with these labels and any others. */
  all(name: string, labels?: Record<string, string>): Sample[];
  /** Returns their sum. */
  sum(name: string, labels?: Record<string, string>): number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const TYPES = ['counter', 'gauge', 'histogram'];

/**
 * Parses metrics as strictly as the text format (version 0.0.4) is defined.
 * @throws at anything that Prometheus would reject, and at families that are told twice, which it takes by chance
 */
export function parseExposition(text: string): Exposition {
  if (text !== '' && !text.endsWith('\n')) throw new Error('The last line has no end.');
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  let family = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name, rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (kind === 'TYPE') {
      if (!NAME.test(name!) || !TYPES.includes(rest)) throw new Error(`Not a type: ${line}`);
      if (types.has(name!)) throw new Error(`The family ${name} is told twice.`);
      types.set(name!, rest);
      family = name!;
    }
    if (line.startsWith('#')) continue;
    const sample = parseSample(line);
    const allowed =
      types.get(family) === 'histogram' ? [`${family}_bucket`, `${family}_sum`, `${family}_count`] : [family];
    if (!allowed.includes(sample.name))
      throw new Error(`${line} stands in the family ${family || 'of none'}.`);
    const key = keyOf(sample);
    if (seen.has(key)) throw new Error(`Told twice: ${line}`);
    seen.add(key);
    samples.push(sample);
  }
  const all: Exposition['all'] = (name, labels = {}) =>
    samples.filter(
      (one) =>
        one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    );
  for (const [name, type] of types) if (type === 'histogram') requireHistogram(name, all);
  return {
    samples,
    types,
    all,
    value: (name, labels = {}) =>
      all(name, labels).find((one) => Object.keys(one.labels).length === Object.keys(labels).length)?.value,
    sum: (name, labels) => all(name, labels).reduce((sum, { value }) => sum + value, 0),
  };
}

function parseSample(line: string): Sample {
  const [, name, text = '', number] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`Not a value: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    const [, label, value] = LABEL.exec(text) ?? [];
    if (label === undefined || label in labels) throw new Error(`Not labels: ${line}`);
    labels[label] = value!;
  }
  const value = number === '+Inf' ? Infinity : Number(number);
  if (Number.isNaN(value)) throw new Error(`Not a number: ${line}`);
  return { name, labels, value };
}

function keyOf({ name, labels }: Sample): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

/** Buckets are cumulative, and the last one has all. */
function requireHistogram(name: string, all: Exposition['all']): void {
  for (const { labels, value: count } of all(`${name}_count`)) {
    const buckets = all(`${name}_bucket`, { ...labels }).filter(
      (one) => Object.keys(one.labels).length === Object.keys(labels).length + 1,
    );
    const sorted = buckets
      .map((one) => ({ le: Number(one.labels.le!.replace('+Inf', 'Infinity')), value: one.value }))
      .sort((a, b) => a.le - b.le);
    const isCumulative = sorted.every(({ value }, n) => n === 0 || value >= sorted[n - 1]!.value);
    if (!isCumulative || sorted.at(-1)?.le !== Infinity || sorted.at(-1)?.value !== count)
      throw new Error(`The buckets of ${name} ${JSON.stringify(labels)} do not add up.`);
  }
}
