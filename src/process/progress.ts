import { SingleBar } from 'cli-progress';

/** Where a run is, and which part of it is done, from 0 to 1. */
export interface Place {
  text: string;
  share: number;
}

export interface Progress<Run> {
  show(run: Run): void;
  end(): void;
}

export const NO_PROGRESS: Progress<unknown> = { show: () => undefined, end: () => undefined };

const PLAIN_INTERVAL_MS = 5_000;
const STEPS = 100;

/** Shows where a run is: on one line of a terminal, and with a line every five seconds elsewhere. */
export function createRunProgress<Run>(
  stream: NodeJS.WriteStream,
  placeOf: (run: Run) => Place,
): Progress<Run> {
  return stream.isTTY ? terminalProgress(stream, placeOf) : plainProgress(stream, placeOf);
}

function plainProgress<Run>(stream: NodeJS.WritableStream, placeOf: (run: Run) => Place): Progress<Run> {
  let lastSaid = -Infinity;
  return {
    show(run) {
      if (Date.now() - lastSaid < PLAIN_INTERVAL_MS) return;
      lastSaid = Date.now();
      stream.write(`${placeOf(run).text}\n`);
    },
    end: () => undefined,
  };
}

function terminalProgress<Run>(stream: NodeJS.WritableStream, placeOf: (run: Run) => Place): Progress<Run> {
  const bar = new SingleBar({ stream, clearOnComplete: true, hideCursor: true, format: '{bar} {text}' });
  bar.start(STEPS, 0, { text: '' });
  return {
    show(run) {
      const { text, share } = placeOf(run);
      bar.update(Math.round(STEPS * share), { text });
    },
    end: () => bar.stop(),
  };
}
