import { mongo, type ClientSession, type Connection } from 'mongoose';

/**
 * The driver would retry a transaction for 120 s, but an activity has 4 s, after which Temporal retries it.
 */
const DEADLINE_MS = 3_500;

export type Transact = ReturnType<typeof createTransact>;

/**
 * Creates a function that runs `work` in a transaction with majority writes. If the transaction collides with
 * another one, it is repeated with a jittered back-off, so `work` must have no effects outside the session.
 * @param deadlineMs how long it is repeated, in milliseconds
 * @param onRepeat called each time that it is repeated
 */
export function createTransact(
  connection: Connection,
  deadlineMs = DEADLINE_MS,
  onRepeat: () => void = () => undefined,
) {
  return <T>(work: (session: ClientSession) => Promise<T>): Promise<T> =>
    connection.withSession((session) => {
      const deadline = Date.now() + deadlineMs;
      let isRepeated = false;
      return session.withTransaction(
        () => {
          if (isRepeated) onRepeat();
          isRepeated = true;
          if (Date.now() > deadline)
            throw new mongo.MongoOperationTimeoutError(
              `The transaction was not committed within ${deadlineMs} ms.`,
            );
          return work(session);
        },
        { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
      );
    });
}
