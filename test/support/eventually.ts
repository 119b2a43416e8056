import { until } from '../../tools/devstack/until';

/** After this time a wait has hung. It ends a test that would never end, and does not judge how fast a machine is. */
export const HANG_MS = 10 * 60_000;

/** Repeats an assertion until it passes. */
export async function eventually(assertion: () => Promise<unknown>): Promise<void> {
  const attempt = async () => {
    await assertion();
    return true;
  };
  await until(HANG_MS, attempt, (lastError) => lastError as Error);
}
