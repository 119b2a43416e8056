/** Runs an entry with the environment. A failure is one line on standard error, and this exit code. */
export function runEntry(
  main: (env: NodeJS.ProcessEnv) => Promise<void>,
  { failureCode = 1 }: { failureCode?: number } = {},
): void {
  main(process.env).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(failureCode);
  });
}

/** Resolves with the first SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}
