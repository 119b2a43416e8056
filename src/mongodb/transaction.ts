import { mongo, type ClientSession, type Connection } from 'mongoose';

/** The driver would retry a transaction for 120 s; an activity has 4 s and is retried by Temporal. */
const DEADLINE_MS = 3_500;

export type Transact = <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;

/**
 * Runs `work` in a transaction with majority writes. It runs again, with a jittered back-off, when it collides with
 * another transaction, so it must do nothing outside the session.
 */
export function createTransact(connection: Connection): Transact {
  return (work) =>
    connection.withSession((session) => {
      const deadline = Date.now() + DEADLINE_MS;
      return session.withTransaction(
        () => {
          if (Date.now() > deadline)
            throw new mongo.MongoOperationTimeoutError(`No commit within ${DEADLINE_MS} ms.`);
          return work(session);
        },
        { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
      );
    });
}
