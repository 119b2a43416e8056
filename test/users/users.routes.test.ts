import { createUserModel } from '../../src/users/users.model';
import { openTestApi, type TestApi } from '../support/api';
import {
  expectRejected,
  PASSWORD,
  person,
  signedInLongAgo,
  signIn,
  type Person,
} from '../support/signed-in-users';

const NEW_PASSWORD = 'staple battery horse';

let api: TestApi;
/** Another process on the same database. */
let other: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  other = await openTestApi({ db: api.db });
});
beforeEach(() => api.clear());
afterAll(async () => {
  await other.close();
  await api.close();
});

const users = () => createUserModel(api.db.connection);
const me = ({ accessToken }: Person, at = api) => at.call('get', '/users/me', accessToken);
const changeMe = ({ accessToken }: Person, body: object) =>
  api.call('patch', '/users/me', accessToken).send(body);
const change = (admin: Person, id: string, body: object, at = api) =>
  at.call('patch', `/users/${id}`, admin.accessToken).send(body);
const refresh = ({ refreshToken }: Person) => api.call('post', '/auth/refresh').send({ refreshToken });

async function expectSignedOut(user: Person): Promise<void> {
  await expectRejected([api, other], user);
  await refresh(user).expect(401);
}

async function expectSignedIn(user: Person): Promise<void> {
  for (const at of [api, other]) await me(user, at).expect(200);
}

describe('GET /users/me', () => {
  it('returns the profile without anything about the password', async () => {
    const alice = await person(api);
    const { body, text } = await me(alice).expect(200);
    expect(body).toMatchObject({
      data: { id: alice.id, email: alice.email, role: 'CUSTOMER', status: 'active' },
    });
    expect(text).not.toMatch(/password|hash|token/i);
    await api.call('get', '/users/me').expect(401);
  });
});

describe('PATCH /users/me', () => {
  it('changes the name', async () => {
    const alice = await person(api);
    const { body } = await changeMe(alice, { name: '  Alice B. ' }).expect(200);
    expect(body).toMatchObject({ data: { id: alice.id, name: 'Alice B.' } });
    await expectSignedIn(alice);
  });

  it('changes the password and revokes all other sessions and their access tokens', async () => {
    const alice = await person(api);
    const elsewhere = await signIn(api, alice.email);
    await changeMe(alice, { password: NEW_PASSWORD, currentPassword: PASSWORD }).expect(200);
    await expectSignedOut(elsewhere);
    await expectSignedIn(alice);
    await api.call('post', '/auth/login').send({ email: alice.email, password: PASSWORD }).expect(401);
    await expectSignedIn(await signIn(api, alice.email, NEW_PASSWORD));
  });

  it('gives the session that continues another refresh token, so that a copy of the first one ends it', async () => {
    const alice = await person(api);
    const change = { password: NEW_PASSWORD, currentPassword: PASSWORD };
    const { body, headers } = await changeMe(alice, change).expect(200);
    expect(headers['cache-control']).toBe('no-store');
    const changed = (body as { data: Person }).data;
    await expectSignedIn(changed);
    const next = (await refresh(changed).expect(200)).body as { data: Person };
    await refresh(alice).expect(401);
    for (const tokens of [alice, changed, next.data]) await expectSignedOut(tokens);
  });

  it('revokes the session of an earlier change when another session changes the password', async () => {
    const alice = await person(api);
    await changeMe(alice, { password: NEW_PASSWORD, currentPassword: PASSWORD }).expect(200);
    const elsewhere = await signIn(api, alice.email, NEW_PASSWORD);
    await changeMe(elsewhere, { password: PASSWORD, currentPassword: NEW_PASSWORD }).expect(200);
    await expectSignedOut(alice);
    await expectSignedIn(elsewhere);
  });

  it('requires the current password, and counts wrong ones', async () => {
    const alice = await person(api);
    for (let attempt = 0; attempt < 10; attempt++) {
      const wrong = { password: NEW_PASSWORD, currentPassword: `guess ${attempt}` };
      const { body } = await changeMe(alice, wrong).expect(400);
      expect(body).toMatchObject({ errors: [{ path: 'currentPassword' }] });
    }
    const right = { password: NEW_PASSWORD, currentPassword: PASSWORD };
    await changeMe(alice, right).expect(429);
    await expectSignedIn(alice);
  });

  it('rejects the password that the user has already, and one made of name or address', async () => {
    const alice = await person(api);
    for (const password of [PASSWORD, `${alice.email}!`, 'person-person-7']) {
      const { body } = await changeMe(alice, { password, currentPassword: PASSWORD }).expect(400);
      expect(body).toMatchObject({ errors: [{ path: 'password' }] });
    }
    const other = await openTestApi({ db: api.db, env: { SHOP_NAME: 'Plum & Pear' } });
    const shop = { password: 'Plum-and-Pear-1', currentPassword: PASSWORD };
    await other.call('patch', '/users/me', alice.accessToken).send(shop).expect(400);
    await other.close();
  });

  it('changes name and password together, or neither', async () => {
    const alice = await person(api);
    const own = { name: 'Rosalind', password: 'rosalind-rosalind', currentPassword: PASSWORD };
    await changeMe(alice, own).expect(400);
    expect(await users().findById(alice.id).lean()).toMatchObject({ name: 'Person' });
    const { body } = await changeMe(alice, { ...own, password: NEW_PASSWORD }).expect(200);
    expect(body).toMatchObject({ data: { name: 'Rosalind', accessToken: expect.any(String) as string } });
  });

  it('accepts one of two concurrent changes', async () => {
    const alice = await person(api);
    const responses = await Promise.all(
      [NEW_PASSWORD, `${NEW_PASSWORD} 2`].map((password) =>
        changeMe(alice, { password, currentPassword: PASSWORD }),
      ),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 400]);
  });

  it.each([
    [{}, ['']],
    [{ password: NEW_PASSWORD }, ['currentPassword']],
    [{ currentPassword: PASSWORD }, ['']],
    [{ password: 'too short', currentPassword: PASSWORD }, ['password']],
    [{ password: 'administrator', currentPassword: PASSWORD }, ['password']],
    [{ name: ' ' }, ['name']],
    [{ name: 'Alice', role: 'ADMIN' }, ['role']],
    [{ name: 'Alice', status: 'active', isEmailConfirmed: true }, ['status', 'isEmailConfirmed']],
    [{ email: 'x@example.com' }, ['currentPassword']],
  ])('rejects %j', async (body, paths) => {
    const alice = await person(api);
    const { body: problem } = await changeMe(alice, body).expect(400);
    expect((problem as { errors: { path: string }[] }).errors.map(({ path }) => path)).toEqual(paths);
    expect(await users().findById(alice.id).lean()).toMatchObject({ name: 'Person', role: 'CUSTOMER' });
  });
});

describe('GET /users', () => {
  it('lists users page by page, newest first, and filters them', async () => {
    const admin = await person(api, 'ADMIN');
    const people = [await person(api), await person(api), await person(api)];
    await change(admin, people[1]!.id, { status: 'disabled' }).expect(200);
    const idsOf = async (query: string) => {
      const { body } = await api.call('get', `/users${query}`, admin.accessToken).expect(200);
      const { data, meta } = body as {
        data: { id: string }[];
        meta: { page: { nextCursor: string | null } };
      };
      return { ids: data.map(({ id }) => id), next: meta.page.nextCursor };
    };
    const newestFirst = [...people.map(({ id }) => id)].reverse();
    const first = await idsOf('?limit=2');
    expect(first.ids).toEqual(newestFirst.slice(0, 2));
    expect(await idsOf(`?limit=2&cursor=${first.next}`)).toEqual({
      ids: [newestFirst[2], admin.id],
      next: null,
    });
    expect((await idsOf('?role=ADMIN')).ids).toEqual([admin.id]);
    expect((await idsOf('?status=disabled')).ids).toEqual([people[1]!.id]);
    expect((await idsOf('?status=active&role=CUSTOMER')).ids).toEqual([newestFirst[0], newestFirst[2]]);
    const spelled = encodeURIComponent(people[0]!.email.toUpperCase().replace('.', '\u3002'));
    expect((await idsOf(`?email=${spelled}`)).ids).toEqual([people[0]!.id]);
    await api.call('get', '/users?cursor=nonsense', admin.accessToken).expect(400);
  });
});

describe('GET /users/:id', () => {
  it('returns a user, and 404 for one that does not exist', async () => {
    const admin = await person(api, 'ADMIN');
    const alice = await person(api);
    const { body } = await api.call('get', `/users/${alice.id}`, admin.accessToken).expect(200);
    expect(body).toMatchObject({ data: { id: alice.id, email: alice.email } });
    await api.call('get', '/users/usr_01HZX0000000000000000N0N00', admin.accessToken).expect(404);
    await api.call('get', '/users/nonsense', admin.accessToken).expect(400);
  });
});

describe('PATCH /users/:id', () => {
  it('disables a user on every process, until enabled again', async () => {
    const admin = await person(api, 'ADMIN');
    const alice = await person(api);
    await expectSignedIn(alice);
    const { body } = await change(admin, alice.id, { status: 'disabled' }, other).expect(200);
    expect(body).toMatchObject({ data: { id: alice.id, status: 'disabled' } });
    await expectSignedOut(alice);
    await api.call('post', '/auth/login').send({ email: alice.email, password: PASSWORD }).expect(403);
    await change(admin, alice.id, { status: 'active' }).expect(200);
    await expectSignedOut(alice);
    await expectSignedIn(await signIn(api, alice.email));
  });

  it('changes the role, revokes the tokens, and puts the role in new ones', async () => {
    const admin = await person(api, 'ADMIN');
    const alice = await person(api);
    await change(admin, alice.id, { role: 'ADMIN' }).expect(200);
    await expectSignedOut(alice);
    const promoted = await signIn(api, alice.email);
    await api.call('get', '/users', promoted.accessToken).expect(200);
    await change(admin, alice.id, { role: 'CUSTOMER' }).expect(200);
    await expectSignedOut(promoted);
    const demoted = await signIn(api, alice.email);
    await api.call('get', '/users', demoted.accessToken).expect(403);
  });

  it('asks for the password of an ADMIN who did not sign in just now', async () => {
    const admin = await person(api, 'ADMIN');
    const alice = await person(api);
    const old = signedInLongAgo(api, admin);
    const change = (more: object) =>
      api.call('patch', `/users/${alice.id}`, old).send({ role: 'ADMIN', ...more });
    const { body, headers } = await change({}).expect(401);
    expect(headers['www-authenticate']).toContain('error="insufficient_user_authentication", max_age="300"');
    expect(body).toMatchObject({
      code: 'unauthorized',
      detail: expect.stringContaining('currentPassword') as string,
    });
    const { body: problem } = await change({ currentPassword: 'guess' }).expect(400);
    expect(problem).toMatchObject({ errors: [{ path: 'currentPassword' }] });
    expect(await users().findById(alice.id).lean()).toMatchObject({ role: 'CUSTOMER' });
    await change({ currentPassword: PASSWORD }).expect(200);
    expect(JSON.stringify(api.logs)).not.toContain(PASSWORD);
  });

  it('changes nothing if role and status are the same', async () => {
    const admin = await person(api, 'ADMIN');
    const alice = await person(api);
    await change(admin, alice.id, { role: 'CUSTOMER', status: 'active' }).expect(200);
    await expectSignedIn(alice);
    const { body } = await refresh(alice).expect(200);
    const again = { role: 'CUSTOMER', status: 'active' };
    await change(admin, alice.id, { status: 'disabled' }).expect(200);
    await change(admin, alice.id, again).expect(200);
    await refresh((body as { data: Person }).data).expect(401);
    const anew = await signIn(api, alice.email);
    await change(admin, alice.id, again).expect(200);
    await refresh(anew).expect(200);
  });

  it('returns 409 for demoting or disabling the last active ADMIN', async () => {
    const admin = await person(api, 'ADMIN');
    for (const body of [{ role: 'CUSTOMER' }, { status: 'disabled' }]) {
      const { body: problem } = await change(admin, admin.id, body).expect(409);
      expect(problem).toMatchObject({ code: 'invalid_transition' });
    }
    await expectSignedIn(admin);
    const second = await person(api, 'ADMIN');
    await change(admin, second.id, { status: 'disabled' }).expect(200);
    await change(admin, admin.id, { role: 'CUSTOMER' }).expect(409); // a disabled one does not count
  });

  it('keeps one of many ADMINs who demote each other at once', async () => {
    const admins = await Promise.all(Array.from({ length: 5 }, () => person(api, 'ADMIN')));
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        admins.map(async (admin, n) => change(admin, admins[(n + round) % 5]!.id, { role: 'CUSTOMER' })),
      );
      expect(await users().countDocuments({ role: 'ADMIN' })).toBeGreaterThanOrEqual(1);
    }
    expect(await users().countDocuments({ role: 'ADMIN' })).toBe(1);
  });

  it.each([
    [{}],
    [{ role: 'PUBLIC' }],
    [{ status: 'gone' }],
    [{ role: 'ADMIN', name: 'X' }],
    [{ passwordHash: 'x' }],
    [{ currentPassword: PASSWORD }],
  ])('rejects %j', async (body) => {
    const admin = await person(api, 'ADMIN');
    await change(admin, admin.id, body).expect(400);
  });

  it('returns 404 for a user who does not exist', async () => {
    const admin = await person(api, 'ADMIN');
    await change(admin, 'usr_01HZX0000000000000000N0N00', { status: 'disabled' }).expect(404);
  });
});
