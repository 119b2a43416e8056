import { mongo, trusted } from 'mongoose';
import { sendData } from '../../src/http/respond';
import { route } from '../../src/http/route';
import { Role } from '../../src/role/role';
import { openTestApi, type TestApi } from '../support/api';

let api: TestApi;
afterAll(() => api?.close());

const reading = (path: string, read: () => Promise<unknown>) =>
  route({
    method: 'get',
    path,
    role: Role.PUBLIC,
    operationId: path.slice(1),
    summary: 'Reads',
    tag: 'Test',
    responses: { 200: { description: 'What was read' } },
    errors: ['service_unavailable', 'internal_error'],
    handler: async (ctx) => sendData(ctx, 200, await read()),
  });

beforeAll(async () => {
  api = await openTestApi({
    routes: [
      // The server ends it: each document makes it wait for longer than it may take.
      reading('/slow', async () => {
        const numbers = api.db.connection.collection<{ _id: number }>('numbers');
        await numbers.insertOne({ _id: 1 });
        return numbers.find({ $where: 'sleep(1000)' }).maxTimeMS(1).toArray();
      }),
      reading('/without-primary', async () => {
        throw new mongo.MongoServerError({ message: 'not primary and secondaryOk=false', code: 13_435 });
      }),
      reading('/wrong', () =>
        api.db.connection
          .collection('numbers')
          .find({ $nonsense: trusted({}) } as never)
          .toArray(),
      ),
    ],
  });
});

it.each(['/slow', '/without-primary'])(
  'a read that MongoDB cannot answer now returns 503: %s',
  async (path) => {
    const { headers, body } = await api.call('get', path).expect(503);
    expect(headers['retry-after']).toBe('5');
    expect(body).toMatchObject({ code: 'service_unavailable' });
  },
);

it('a read that is wrong returns 500', async () => {
  await api.call('get', '/wrong').expect(500);
});
