/** The metrics of a process, in the text format of Prometheus. */
export interface ProcessText {
  /** The value of the label `process`. */
  process: string;
  text: string;
}

/** Merges the metrics of several processes: each value gets a label that says whose it is, and none is added to another. */
export function mergeTexts(parts: readonly ProcessText[]): string {
  const families = new Map<string, { comments: string[]; values: string[] }>();
  for (const { process, text } of parts) {
    const described = new Set<string>();
    let family: { comments: string[]; values: string[] } | undefined;
    for (const line of text.split('\n')) {
      const [, name] = /^# (?:HELP|TYPE|UNIT) (\S+)/.exec(line) ?? [];
      if (name !== undefined) {
        const isNew = !families.has(name);
        if (isNew) families.set(name, { comments: [], values: [] });
        if (isNew) described.add(name);
        family = families.get(name)!;
        if (described.has(name)) family.comments.push(line);
      } else if (line !== '' && !line.startsWith('#')) {
        family?.values.push(labelled(line, process));
      }
    }
  }
  const lines = [...families.values()].flatMap(({ comments, values }) => [...comments, ...values]);
  return `${lines.join('\n')}\n`;
}

/** @param line such as `name 1` or `name{label="value"} 1` */
function labelled(line: string, process: string): string {
  const end = line.search(/[{ ]/);
  const name = line.slice(0, end);
  const rest = line.slice(end);
  const label = `process="${process}"`;
  return rest.startsWith('{') ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}
