import jwt from 'jsonwebtoken';
import type { MailedPurpose } from '../../src/users/account/account-tokens.model';
import { createUserModel } from '../../src/users/users.model';
import type { UserRole } from '../../src/role/role';
import type { TestApi } from './api';
import { eventually } from './eventually';

export const PASSWORD = 'correct horse battery';

export interface Person {
  id: string;
  email: string;
  accessToken: string;
  refreshToken: string;
}

let count = 0;

/** Registers and signs in a user with a confirmed address. */
export async function person(api: TestApi, role: UserRole = 'CUSTOMER'): Promise<Person> {
  const email = `person-${++count}@example.com`;
  const account = { email, password: PASSWORD, name: 'Person' };
  const registered = dataOf(await api.call('post', '/auth/register').send(account).expect(201));
  await createUserModel(api.db.connection).updateOne(
    { _id: registered.user.id },
    { confirmedEmail: email, role },
  );
  if (role === 'CUSTOMER') return personOf(registered);
  return signIn(api, email);
}

/** Returns the token for the purpose in the last mail to the address. */
export async function mailedToken(
  { mailed }: Pick<TestApi, 'mailed'>,
  purpose: MailedPurpose,
  email: string,
): Promise<string> {
  const mail = (await mailed()).findLast(({ to, text }) => to === email && text.includes(`#${purpose}=`));
  return new RegExp(`http://localhost:8080/account#${purpose}=([\\w-]{43})\n`).exec(mail!.text)![1]!;
}

/** Confirms the address of an account, as its owner would. */
export async function confirmAddress(api: TestApi, email: string): Promise<void> {
  await createUserModel(api.db.connection).updateOne({ email }, { confirmedEmail: email });
}

/** Opens another session of the same user. */
export async function signIn(api: TestApi, email: string, password = PASSWORD): Promise<Person> {
  return personOf(dataOf(await api.call('post', '/auth/login').send({ email, password }).expect(200)));
}

/** Expects that all processes come to reject the access token, long before it expires. */
export async function expectRejected(
  apis: TestApi[],
  { accessToken }: Pick<Person, 'accessToken'>,
): Promise<void> {
  for (const at of apis)
    await eventually(async () => void (await at.call('get', '/users/me', accessToken).expect(401)));
}

/** Returns an access token of the person's session, who signed in more than five minutes ago. */
export function signedInLongAgo(api: TestApi, { accessToken }: Person): string {
  const {
    sub,
    role,
    ver,
    sid,
    auth_time: since,
  } = jwt.decode(accessToken) as {
    sub: string;
    role: UserRole;
    ver: number;
    sid: string;
    auth_time: number;
  };
  const claims = { id: sub, role, tokenVersion: ver, sessionId: sid, authenticatedAt: since - 301 };
  return api.jwt.issue(claims).accessToken;
}

type SignedIn = { user: { id: string; email: string }; accessToken: string; refreshToken: string };

function dataOf({ body }: { body: unknown }): SignedIn {
  return (body as { data: SignedIn }).data;
}

function personOf({ user: { id, email }, accessToken, refreshToken }: SignedIn): Person {
  return { id, email, accessToken, refreshToken };
}
