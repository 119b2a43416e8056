/**
 * Runs `main` if Node was started with its module (`require.main === module`). An error is printed as one
 * line on standard error, and the exit code is 1.
 */
export function runEntry(isEntry: boolean, main: (env: NodeJS.ProcessEnv) => Promise<void>): void {
  if (!isEntry) return;
  main(process.env).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
