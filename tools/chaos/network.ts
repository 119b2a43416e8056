import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createGrpcSplitter } from './wire/grpc';
import { bytesSplitter, type Direction, type Message, type Splitter, type Wire } from './wire/message';
import { createMongodbSplitter, greetingIn } from './wire/mongodb';

const HOST = '127.0.0.1';
const SPLITTERS: Readonly<Record<Wire, () => Splitter>> = {
  mongodb: createMongodbSplitter,
  grpc: createGrpcSplitter,
  bytes: bytesSplitter,
};

/** Is shown each message, and says whether to swallow it, which ends its connection. */
export type Trap = (direction: Direction, label: string, bytes: Buffer) => boolean;

/** What a link suffers until it is ended; several at a time do not end each other. */
export interface LinkFault {
  /** How often it was met: connections that it broke or refused, or what it held or delayed. */
  readonly met: number;
  end(): void;
}

/** All that one process sends to another, over however many connections. */
export interface Link {
  readonly from: string;
  readonly to: string;
  /** Whole messages that have come through. */
  readonly passed: Readonly<Record<Direction, number>>;
  /** Breaks all connections, and accepts no others until it is ended. */
  cut(): LinkFault;
  /** Lets nothing through until it is ended, and keeps the connections, as a network does that has lost its route. */
  stall(): LinkFault;
  /** Lets everything through later by so much, however much there is. */
  slow(delayMs: number): LinkFault;
  /** Ends all faults of the link. */
  heal(): void;
  /** Breaks all connections once. Returns how many there were. */
  reset(): number;
  /** Shows each message to the trap until it is taken away, by the function that this returns. */
  set(trap: Trap): () => void;
}

/** What a connection holds back in one direction before it reads no more: about what is under way in a real network. */
const MOST_HELD = 4 * 1_024 * 1_024;

type State = { kind: 'cut' | 'stall' | 'slow'; delayMs: number; met: number };

class ProxiedLink implements Link {
  readonly passed = { request: 0, reply: 0 };
  private readonly connections = new Set<() => void>();
  private readonly traps = new Set<Trap>();
  private readonly states = new Set<State>();
  private changed = Promise.resolve();
  private onChange: () => void = () => undefined;

  constructor(
    readonly from: string,
    readonly to: string,
  ) {}

  cut(): LinkFault {
    const fault = this.begin('cut');
    this.meet('cut', this.reset());
    return fault;
  }

  stall(): LinkFault {
    return this.begin('stall');
  }

  slow(delayMs: number): LinkFault {
    return this.begin('slow', delayMs);
  }

  heal(): void {
    this.states.clear();
    this.change();
  }

  reset(): number {
    const all = [...this.connections];
    for (const destroy of all) destroy();
    return all.length;
  }

  set(trap: Trap): () => void {
    this.traps.add(trap);
    return () => void this.traps.delete(trap);
  }

  /** Carries the connection on to the other side. @param first what it has already sent */
  carry(near: Socket, far: Socket, splitter: Splitter, first?: Buffer): void {
    if (this.meet('cut')) return void [near, far].forEach((end) => end.destroy());
    const destroy = (): void => {
      this.connections.delete(destroy);
      near.destroy();
      far.destroy();
      splitter.close?.();
    };
    this.connections.add(destroy);
    for (const end of [near, far]) end.on('error', destroy).on('close', destroy);
    const pump = (direction: Direction, from: Socket, to: Socket, early?: Buffer): void => {
      this.pump({ direction, from, to, splitter, early, destroy }).then(() => to.end(), destroy);
    };
    pump('request', near, far, first);
    pump('reply', far, near);
  }

  private begin(kind: State['kind'], delayMs = 0): LinkFault {
    const state = { kind, delayMs, met: 0 };
    this.states.add(state);
    this.change();
    return {
      get met() {
        return state.met;
      },
      end: () => {
        this.states.delete(state);
        this.change();
      },
    };
  }

  /** Has what is held look whether it still is. */
  private change(): void {
    const tell = this.onChange;
    this.changed = new Promise((resolve) => (this.onChange = resolve));
    tell();
  }

  /** Counts what faults of the kind meet. Returns whether there is one. */
  private meet(kind: State['kind'], times = 1): boolean {
    const all = [...this.states].filter((state) => state.kind === kind);
    for (const state of all) state.met += times;
    return all.length > 0;
  }

  /** What comes is due by when it has come: what waits before it does not delay it further. */
  private async pump({ direction, from, to, splitter, early, destroy }: Pumping): Promise<void> {
    let passing = Promise.resolve();
    let held = 0;
    const take = (chunk: Buffer): void => {
      this.meet('slow');
      const delayMs = Math.max(0, ...[...this.states].map((state) => state.delayMs));
      const dueAt = performance.now() + delayMs;
      const messages = splitter.split(direction, chunk);
      held += chunk.length;
      passing = passing
        .then(() => this.pass(direction, messages, { dueAt, to }))
        .then(() => void (held -= chunk.length));
      passing.catch(destroy);
    };
    if (early) take(early);
    for await (const chunk of from as AsyncIterable<Buffer>) {
      take(chunk);
      if (held > MOST_HELD) await passing;
    }
    await passing;
  }

  /** @throws {Swallowed} if a trap takes one of the messages; those before it have passed */
  private async pass(
    direction: Direction,
    messages: readonly Message[],
    { dueAt, to }: { dueAt: number; to: Socket },
  ): Promise<void> {
    const early = dueAt - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    while (this.meet('stall')) await this.changed;
    if (to.destroyed) return;
    const passing: Buffer[] = [];
    for (const { bytes, label } of messages) {
      if (label !== undefined) {
        if ([...this.traps].some((trap) => trap(direction, label, bytes))) {
          to.write(Buffer.concat(passing));
          throw new Swallowed();
        }
        this.passed[direction]++;
      }
      passing.push(bytes);
    }
    if (passing.length > 0 && !to.write(Buffer.concat(passing))) await once(to, 'drain');
  }
}

interface Pumping {
  direction: Direction;
  from: Socket;
  to: Socket;
  splitter: Splitter;
  early?: Buffer;
  destroy: () => void;
}

class Swallowed extends Error {}

export interface ProxyOptions {
  /** The name of the process behind it. */
  to: string;
  port: number;
  wire: Wire;
  /** The process that connects; undefined if its first message tells, as MongoDB's does. */
  from?: string;
  /** Defaults to a free port. */
  listenOn?: number;
}

/** All connections between processes, which pass this one. */
export interface Network {
  /** Opens a proxy to a process, and returns its port. */
  open(options: ProxyOptions): Promise<number>;
  /** The link from one process to another. */
  link(from: string, to: string): Link;
  /** The links that there are. */
  links(): Link[];
  /** Names the process that listens on a port, so that its own connections are known. */
  name(port: number, process: string): void;
  heal(): void;
  close(): Promise<void>;
}

export function createNetwork(): Network {
  const links = new Map<string, ProxiedLink>();
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const byPort = new Map<number, string>();

  function link(from: string, to: string): ProxiedLink {
    const key = `${from} > ${to}`;
    const known = links.get(key);
    if (known) return known;
    const made = new ProxiedLink(from, to);
    links.set(key, made);
    return made;
  }

  async function accept(near: Socket, { to, port, wire, from }: ProxyOptions): Promise<void> {
    sockets.add(near);
    near.setNoDelay().on('error', () => undefined);
    const first = from === undefined ? await firstMessage(near) : undefined;
    if (from === undefined && first === undefined) return void near.destroy();
    const greeting = first && greetingIn(first);
    const sender = from ?? (byPort.get(greeting?.port ?? 0) || greeting?.application || 'unknown');
    const far = connect(port, HOST).setNoDelay();
    sockets.add(far);
    for (const end of [near, far]) end.on('close', () => sockets.delete(end));
    link(sender, to).carry(near, far, SPLITTERS[wire](), first);
  }

  return {
    async open(options) {
      const server = createServer((near) => void accept(near, options).catch(() => near.destroy()));
      servers.push(server);
      server.listen(options.listenOn ?? 0, HOST);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    },
    link,
    links: () => [...links.values()],
    name: (port, process) => void byPort.set(port, process),
    heal: () => links.forEach((one) => one.heal()),
    async close() {
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** Resolves with undefined if the connection ends before a whole message of MongoDB has come. */
function firstMessage(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let got = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      got = Buffer.concat([got, chunk]);
      if (got.length < 4 || got.length < got.readInt32LE(0)) return;
      socket.off('data', onData).pause();
      resolve(got);
    };
    socket.on('data', onData);
    socket.once('close', () => resolve(undefined));
  });
}
