export interface FairQueueOptions {
  /** How many may work at once. */
  atOnce: number;
  /** How many of one client may wait. */
  maxWaitingEach: number;
  /** How many of all clients may wait. */
  maxWaiting: number;
}

export interface FairQueue {
  /**
   * Runs the work when it is the client's turn.
   * @throws {QueueFull} if too many of the client wait, or of all clients, of whom this one has the most
   */
  run<T>(client: string, work: () => Promise<T>): Promise<T>;
  /** Returns how many wait for their turn. */
  waiting(): number;
}

export class QueueFull extends Error {}

interface Waiting {
  start(): void;
  refuse(): void;
}

/**
 * Creates a queue in which clients take turns, however many each of them has waiting: a client with one waits for one of
 * every other client, not for all that came before. If it is full, the client with the most waiting has to give way.
 */
export function createFairQueue({ atOnce, maxWaitingEach, maxWaiting }: FairQueueOptions): FairQueue {
  /** What waits by client, in the order of their turns. */
  const queues = new Map<string, Waiting[]>();
  let running = 0;
  let waiting = 0;

  function startNext(): void {
    const next = queues.entries().next();
    if (next.done) return;
    const [client, [first, ...rest]] = next.value;
    queues.delete(client);
    if (rest.length > 0) queues.set(client, rest); // behind all others
    waiting--;
    running++;
    first!.start();
  }

  /** Makes room for a client who has fewer waiting than another. */
  function makeRoom(client: string): void {
    const own = queues.get(client)?.length ?? 0;
    const [longest, queue] = [...queues].reduce((a, b) => (b[1].length > a[1].length ? b : a));
    if (queue.length <= own + 1) throw new QueueFull();
    const last = queue.pop()!;
    if (queue.length === 0) queues.delete(longest);
    waiting--;
    last.refuse();
  }

  async function turn(client: string): Promise<void> {
    if (running < atOnce) {
      running++;
      return;
    }
    if ((queues.get(client)?.length ?? 0) >= maxWaitingEach) throw new QueueFull();
    if (waiting >= maxWaiting) makeRoom(client);
    const queue = queues.get(client) ?? [];
    queues.set(client, queue);
    waiting++;
    await new Promise<void>((start, reject) => queue.push({ start, refuse: () => reject(new QueueFull()) }));
  }

  return {
    waiting: () => waiting,
    async run(client, work) {
      await turn(client);
      try {
        return await work();
      } finally {
        running--;
        startNext();
      }
    },
  };
}
