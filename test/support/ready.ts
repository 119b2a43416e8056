import { eventually } from './eventually';

/** Waits until an API says that it and all that it needs are ready. */
export async function untilReady(url: string): Promise<void> {
  await eventually(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200));
}
