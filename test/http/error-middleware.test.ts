import Koa from 'koa';
import request from 'supertest';
import { requestId } from '../../src/http/request-id';
import type { State } from '../../src/http/context';
import { AppError } from '../../src/errors/app-error';
import { errorMiddleware } from '../../src/http/error-middleware';

function answerTo(error: unknown, isUnavailable = false) {
  const app = new Koa<State>();
  app.use(requestId()).use(errorMiddleware({ isUnavailable: () => isUnavailable, docsPath: '/docs' }));
  app.use((ctx) => {
    ctx.set('ETag', '"1"');
    ctx.set('X-Kept', 'yes');
    throw error;
  });
  return request(app.callback()).get('/');
}

describe('an error', () => {
  it('with a code is answered with all it says', async () => {
    const error = new AppError('out_of_stock', 'Only 2 left.', {
      errors: [{ path: 'items.0', message: 'too many' }],
      headers: { 'X-More': '1' },
      orderId: 'ord_1',
    });
    const { body, headers, status } = await answerTo(error);
    expect(status).toBe(409);
    expect(body).toEqual({
      type: 'urn:orders-management-system:problem:out_of_stock',
      title: 'Out of stock',
      status: 409,
      detail: 'Only 2 left.',
      code: 'out_of_stock',
      requestId: headers['x-request-id'],
      errors: [{ path: 'items.0', message: 'too many' }],
      orderId: 'ord_1',
    });
    expect(headers).toMatchObject({ 'x-more': '1', 'x-kept': 'yes', 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('etag');
  });

  it.each([
    ['of our own', new Error('SELECT secret')],
    ['that is no error', 'secret'],
    ['that is nothing', undefined],
    ['of HTTP that is not exposed', Object.assign(new Error('secret'), { status: 400, expose: false })],
    [
      'of HTTP with a status we do not answer',
      Object.assign(new Error('secret'), { status: 418, expose: true }),
    ],
  ])('%s is 500 without a word of it', async (_what, error) => {
    const { body, text, status } = await answerTo(error);
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'internal_error' });
    expect(text).not.toContain('secret');
  });

  it.each([400, 404, 413, 415])('of HTTP, %d, keeps its status', async (status) => {
    const answer = await answerTo(Object.assign(new Error('secret'), { status, expose: true }));
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain('secret');
  });

  it('that there is nothing at a path tells where to look', async () => {
    const { body } = await answerTo(Object.assign(new Error(), { status: 404, expose: true }));
    expect(body).toMatchObject({ detail: expect.stringContaining(': /docs shows') as string });
  });

  it('of an unreachable server is 503 with Retry-After', async () => {
    const { body, headers, status } = await answerTo(new Error('secret'), true);
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: 'service_unavailable' });
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });
});
