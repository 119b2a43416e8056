import { HANG_MS, until } from '../../tools/devstack/until';

export { HANG_MS };

/** Repeats an assertion until it passes. */
export async function eventually(assertion: () => Promise<unknown>): Promise<void> {
  const attempt = async () => {
    await assertion();
    return true;
  };
  await until(HANG_MS, attempt, (lastError) => lastError as Error);
}

/**
 * Repeats an attempt until it returns something. What it throws ends this at once.
 * @param late says what is still missing when time is up
 */
export async function repeat<T>(
  attempt: () => Promise<T | undefined>,
  late: () => string,
  pauseMs?: number,
): Promise<T> {
  const settle = async () => {
    const [settled] = await Promise.allSettled([attempt()]);
    return settled.status === 'fulfilled' && settled.value === undefined ? undefined : settled;
  };
  const settled = await until(HANG_MS, settle, () => new Error(late()), undefined, pauseMs);
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value!;
}
