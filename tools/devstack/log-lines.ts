interface LogLine {
  level?: string;
  msg?: string;
  err?: { message?: string };
  error?: { message?: string };
}

const LOUD = new Set(['warn', 'error', 'fatal']);

/** Returns a line of a log as the console shows it; undefined if it is only for the log file. */
export function consoleLine(name: string, line: string): string | undefined {
  const entry = parse(line);
  if (!entry) return line.trim() === '' ? undefined : `${name}  ${line}`;
  if (!LOUD.has(entry.level ?? '')) return undefined;
  const cause = (entry.err ?? entry.error)?.message;
  return `${name}  ${entry.level}: ${entry.msg ?? ''}${cause && cause !== entry.msg ? ` (${cause})` : ''}`;
}

export function messageIn(line: string): string | undefined {
  return parse(line)?.msg;
}

function parse(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
