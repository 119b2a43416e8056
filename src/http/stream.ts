import { Readable } from 'node:stream';
import type { Context } from './context';

/** Sends text as it is made. What fails before its first part is a problem yet. */
export async function sendStream(
  ctx: Context,
  parts: AsyncGenerator<string, void>,
  { type, filename }: { type: string; filename: string },
): Promise<void> {
  const first = await parts.next();
  ctx.type = type;
  ctx.set('Content-Disposition', `attachment; filename="${filename}"`);
  ctx.body = Readable.from(orAbort(ctx, first, parts), { objectMode: false });
}

/** Yields the parts. If one cannot be made, the connection is cut off, since a proper end would mean that this is all. */
export async function* orAbort<T>(
  ctx: Context,
  first: IteratorResult<T, void>,
  parts: AsyncIterator<T, void>,
): AsyncGenerator<T, void> {
  try {
    for (let part = first; !part.done; part = await parts.next()) yield part.value;
  } catch (err) {
    ctx.state.log.error({ err }, 'the export failed in the middle');
    ctx.res.destroy();
  }
}
