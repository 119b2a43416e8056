import type { Version } from '../versions/deployment';

/** Returns the versions that have work but no worker. */
export function stranded(versions: readonly Version[]): Version[] {
  return versions.filter(({ open, pollers }) => open > 0 && pollers === 0);
}

const HEADINGS = ['build', 'status', 'open workflows', 'workers'];

/** Says what versions there are, one line each, and what to do about them. */
export function linesOf(deployment: string, own: string, versions: readonly Version[]): string[] {
  const rows = versions.map(({ buildId, status, percentage, open, pollers }) => [
    buildId === own ? `${buildId} (this code)` : buildId,
    percentage === undefined ? status : `${status}, ${percentage} %`,
    String(open),
    String(pollers),
  ]);
  const widths = HEADINGS.map((heading, n) => Math.max(heading.length, ...rows.map((row) => row[n]!.length)));
  const table = [HEADINGS, ...rows].map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n]!))
      .join('  ')
      .trimEnd(),
  );
  return [`Worker Deployment ${deployment}`, ...table, ...advice(versions)];
}

function advice(versions: readonly Version[]): string[] {
  const current = versions.find(({ status }) => status === 'current');
  const lines = stranded(versions).map(
    ({ buildId, open, status }) =>
      `${open} workflows wait for workers of ${buildId}: start them` +
      (status === 'current' ? '.' : ` again and run move, or without them run abandon ${buildId}.`),
  );
  if (!current) lines.push('No version is current, so new orders wait: run set-current.');
  else if (current.pollers === 0 && current.open === 0)
    lines.push(
      `The current version ${current.buildId} has no workers: start them, or make another one current.`,
    );
  for (const { buildId, open, status, pollers } of versions) {
    if (pollers === 0 || (status !== 'drained' && status !== 'draining')) continue;
    if (open === 0) lines.push(`Nothing runs on ${buildId}: its workers may be stopped.`);
    else lines.push(`${open} workflows are still on ${buildId}: keep its workers, and run move.`);
  }
  return lines;
}
