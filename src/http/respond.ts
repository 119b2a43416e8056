import type { Context } from './context';

/** Sends `{ data, meta: { requestId } }`. */
export function sendData(ctx: Context, status: number, data: unknown): void {
  send(ctx, status, { data, meta: { requestId: ctx.state.requestId } });
}

/** Sends one page of a list: `{ data: [...], meta: { requestId, page } }`. */
export function sendPage(
  ctx: Context,
  data: unknown[],
  page: { limit: number; nextCursor: string | null },
): void {
  send(ctx, 200, { data, meta: { requestId: ctx.state.requestId, page } });
}

/** Sends a part of a feed: `{ data: [...], meta: { requestId, feed } }`. */
export function sendFeed(ctx: Context, data: unknown[], feed: { position: number; latest: number }): void {
  send(ctx, 200, { data, meta: { requestId: ctx.state.requestId, feed } });
}

/** Sends text, since Koa would turn an object into JSON twice: once for its length and once to send it. */
function send(ctx: Context, status: number, body: object): void {
  ctx.status = status;
  ctx.type = 'json';
  ctx.body = JSON.stringify(body);
}
