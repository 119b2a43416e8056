import type { Context } from './context';

/** Answers `{ data, meta: { requestId } }`. */
export function sendData(ctx: Context, status: number, data: unknown): void {
  ctx.status = status;
  ctx.body = { data, meta: { requestId: ctx.state.requestId } };
}

/** Answers one page of a list: `{ data: [...], meta: { requestId, page } }`. */
export function sendPage(
  ctx: Context,
  data: unknown[],
  page: { limit: number; nextCursor: string | null },
): void {
  ctx.status = 200;
  ctx.body = { data, meta: { requestId: ctx.state.requestId, page } };
}
