import type { Context } from './context';

/** Answers `{ data, meta: { requestId } }`. */
export function sendData(ctx: Context, status: number, data: unknown): void {
  send(ctx, status, { data, meta: { requestId: ctx.state.requestId } });
}

/** Answers one page of a list: `{ data: [...], meta: { requestId, page } }`. */
export function sendPage(
  ctx: Context,
  data: unknown[],
  page: { limit: number; nextCursor: string | null },
): void {
  send(ctx, 200, { data, meta: { requestId: ctx.state.requestId, page } });
}

/** As text: Koa would write an object as JSON once for its length and once more to send it. */
function send(ctx: Context, status: number, body: object): void {
  ctx.status = status;
  ctx.type = 'json';
  ctx.body = JSON.stringify(body);
}
