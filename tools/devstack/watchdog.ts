import { spawn } from 'node:child_process';

/** Waits for the end of its input, which comes when its parent dies, even if it is killed. */
const SCRIPT = `
read -r _
kill -TERM "$1" 2>/dev/null || exit 0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  sleep 1
  kill -0 "$1" 2>/dev/null || exit 0
done
kill -KILL "$1" 2>/dev/null
`;

/** Ends the process `pid` if this one dies first. Returns a function that cancels this. */
export function endWithParent(pid: number): () => void {
  const watchdog = spawn('sh', ['-c', SCRIPT, 'watchdog', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.on('error', () => undefined); // without a shell there is no watchdog; the rest works
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  return () => void watchdog.kill('SIGKILL');
}
