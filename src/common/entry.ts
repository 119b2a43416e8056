/**
 * Runs `main` when its module is what Node was started with (`require.main === module`). A failure is one line on
 * standard error, and exit code 1.
 */
export function runEntry(isEntry: boolean, main: (env: NodeJS.ProcessEnv) => Promise<void>): void {
  if (!isEntry) return;
  main(process.env).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
