import Koa from 'koa';
import request from 'supertest';
import { requestId } from '../../src/http/request-id';
import type { State } from '../../src/http/context';
import { AppError } from '../../src/errors/app-error';
import { errorMiddleware } from '../../src/http/error-middleware';

function responseTo(error: unknown, isUnavailable = false) {
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
  it('with a code becomes a problem with everything it says', async () => {
    const error = new AppError('out_of_stock', 'Only 2 left.', {
      errors: [{ path: 'items.0', message: 'too many' }],
      headers: { 'X-More': '1' },
      orderId: 'ord_1',
    });
    const { body, headers, status } = await responseTo(error);
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
    ['without a code', new Error('SELECT secret')],
    ['that is a string', 'secret'],
    ['that is undefined', undefined],
    ['of HTTP that is not exposed', Object.assign(new Error('secret'), { status: 400, expose: false })],
    [
      'of HTTP with a status that we do not use',
      Object.assign(new Error('secret'), { status: 418, expose: true }),
    ],
  ])('%s becomes a 500 that reveals nothing of it', async (_what, error) => {
    const { body, text, status } = await responseTo(error);
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'internal_error' });
    expect(text).not.toContain('secret');
  });

  it.each([400, 404, 413, 415])('of HTTP with status %d keeps its status', async (status) => {
    const response = await responseTo(Object.assign(new Error('secret'), { status, expose: true }));
    expect(response.status).toBe(status);
    expect(response.text).not.toContain('secret');
  });

  it('for an unknown path names the documentation', async () => {
    const { body } = await responseTo(Object.assign(new Error(), { status: 404, expose: true }));
    expect(body).toMatchObject({ detail: expect.stringContaining('see /docs') as string });
  });

  it('of an unreachable server becomes 503 with Retry-After', async () => {
    const { body, headers, status } = await responseTo(new Error('secret'), true);
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: 'service_unavailable' });
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });
});
