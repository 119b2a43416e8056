/**
 * Runs `main` when that module is what Node was started with. A failure is one line on standard error, and exit
 * code 1.
 */
export function runEntry(module: NodeJS.Module, main: (env: NodeJS.ProcessEnv) => Promise<void>): void {
  if (require.main !== module) return;
  main(process.env).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
