import { Readable } from 'node:stream';
import type { Context } from './context';

/** How often at least something is sent, so that neither a proxy nor the client takes the stream for dead, in milliseconds. */
export const HEARTBEAT_MS = 15_000;
/** How long a client waits until it connects again, in milliseconds. */
const RETRY_MS = 3_000;

/** An event of a stream, as the client gets it. */
export interface StreamEvent {
  /** The client sends that of the last one when it connects again. */
  id: string;
  type: string;
  data: unknown;
}

/** Returns a signal that aborts when the response has ended, be it that the client is gone. */
export function goneOf(ctx: Context): AbortSignal {
  const gone = new AbortController();
  ctx.res.once('close', () => gone.abort());
  return gone.signal;
}

/**
 * Responds with Server-Sent Events as they come, until there are no more, or until the caller may not have them any more.
 * @param events yields some of them, or none, which keeps the stream alive
 */
export function sendEventStream(
  ctx: Context,
  events: AsyncIterable<readonly StreamEvent[]>,
  mayGoOn: () => Promise<boolean>,
): void {
  ctx.status = 200;
  ctx.type = 'text/event-stream';
  ctx.set('X-Accel-Buffering', 'no'); // nginx would hold events back
  ctx.compress = false; // what is compressed is held back until there is more
  ctx.body = Readable.from(textOf(ctx, events, mayGoOn), { objectMode: false });
}

async function* textOf(
  ctx: Context,
  events: AsyncIterable<readonly StreamEvent[]>,
  mayGoOn: () => Promise<boolean>,
): AsyncGenerator<string, void> {
  yield `retry: ${RETRY_MS}\n\n`;
  try {
    for await (const some of events) {
      if (!(await mayGoOn())) return;
      yield some.length === 0 ? ': still there\n\n' : some.map(frameOf).join('');
    }
  } catch (err) {
    ctx.state.log.warn({ err }, 'the stream of events failed; its client connects again');
  }
}

function frameOf({ id, type, data }: StreamEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
