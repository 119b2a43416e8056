import type { ClientSession, Connection } from 'mongoose';
import { notHeld } from '../stored-user';
import { createUserModel } from '../users.model';
import { createSessionModel } from './sessions.model';
import { isSignedIn, type Issued } from './signed-in';

/** Who asks for a change, according to the access token. */
export type Actor = Issued & { id: string };

/**
 * Creates checks of who asks for a change, in the transaction that makes it: a process may not know yet that a token
 * was revoked or that its session has ended.
 */
export function createActorChecks(connection: Connection) {
  const users = createUserModel(connection);
  const sessions = createSessionModel(connection);

  /** Returns whether the user is still signed in. */
  async function mayAct(actor: Actor, session: ClientSession): Promise<boolean> {
    const user = await users.findById(actor.id, null, { session }).lean();
    if (!isSignedIn(user, actor)) return false;
    return (await sessions.exists({ _id: actor.sessionId, endedAt: null }).session(session)) !== null;
  }

  /**
   * Makes the change collide with all that ends what it relies on: the user's role and status, and the session. Without
   * it, a key could be inserted by a transaction of which the one that revokes all keys knows nothing.
   * @returns false while a change that may end it has precedence: nothing is written then
   */
  async function relyOn({ id, sessionId }: Actor, session: ClientSession): Promise<boolean> {
    const options = { session, timestamps: false };
    const relied = await users.updateOne({ _id: id, ...notHeld() }, { $inc: { reliedOn: 1 } }, options);
    if (relied.matchedCount === 0) return false;
    await sessions.updateOne({ _id: sessionId }, { $inc: { reliedOn: 1 } }, options);
    return true;
  }

  return { mayAct, relyOn };
}
