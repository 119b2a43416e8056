import { createApi, SignedOut } from '../../src/board/page/api.js';
import { eventually } from '../support/eventually';

type Answer = (body: unknown, status?: number) => void;

/** The requests that wait for a response, by path. */
const waiting = new Map<string, Answer[]>();
const asked: [path: string, token: string | null][] = [];

beforeEach(() => {
  waiting.clear();
  asked.length = 0;
  jest.spyOn(globalThis, 'fetch').mockImplementation((url, init) => {
    const path = url as string;
    asked.push([path, new Headers(init?.headers).get('Authorization')]);
    return new Promise((resolve) => {
      const answer: Answer = (data, status = 200) => resolve(Response.json({ data }, { status }));
      waiting.set(path, [...(waiting.get(path) ?? []), answer]);
    });
  });
});
afterEach(() => jest.restoreAllMocks());

/** Answers the first request to the path that has no answer yet, once there is one. */
async function answer(path: string, body: unknown, status?: number): Promise<void> {
  await eventually(async () => expect(waiting.get(path)?.length).toBeGreaterThan(0));
  waiting.get(path)!.shift()!(body, status);
}

const signedIn = (name: string, expiresIn: number) => ({
  user: { id: name, name, role: 'ADMIN' },
  accessToken: `access-${name}`,
  refreshToken: `refresh-${name}`,
  expiresIn,
});

async function signIn(api: ReturnType<typeof createApi>, name: string, expiresIn: number): Promise<void> {
  const done = api.signIn(name, 'secret');
  await answer('/auth/login', signedIn(name, expiresIn));
  await done;
}

it('keeps a user signed out, and another one signed in, whatever comes of the session before', async () => {
  const api = createApi('');
  const ended = jest.fn();
  api.onEnd(ended);
  await signIn(api, 'ada', 0);
  const calls = [api.call('/orders'), api.call('/events')]; // which need new tokens
  const outcomes = Promise.allSettled(calls);
  void api.signOut();
  expect(api.session).toBeNull();
  await signIn(api, 'bob', 900);
  await answer('/auth/refresh', signedIn('ada', 900));
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(SignedOut) as Error });
  expect(api.session?.user.name).toBe('bob');
  expect(ended).not.toHaveBeenCalled();
  expect(asked.map(([path]) => path)).toEqual([
    '/auth/login',
    '/auth/refresh',
    '/auth/logout',
    '/auth/login',
  ]);
});

it('exchanges the tokens once for all requests, and ends with the session', async () => {
  const api = createApi('');
  const ended = jest.fn();
  api.onEnd(ended);
  await signIn(api, 'ada', 900);
  const outcomes = Promise.allSettled([api.call('/orders'), api.call('/orders')]);
  await answer('/orders', null, 401);
  await answer('/orders', null, 401);
  await answer('/auth/refresh', { ...signedIn('ada', 900), accessToken: 'access-next' });
  await answer('/orders', [], 200);
  await answer('/orders', null, 401);
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(asked.filter(([path]) => path === '/auth/refresh')).toHaveLength(1);
  expect(asked.at(-1)).toEqual(['/orders', 'Bearer access-next']);
  expect([api.session, ended.mock.calls.length]).toEqual([null, 1]);
});
