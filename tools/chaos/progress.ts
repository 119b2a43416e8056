import { SingleBar } from 'cli-progress';

/** Shows how far a run is. */
export interface Progress {
  /** @param share from 0 to 1 */
  show(share: number, text: string): void;
  end(): void;
}

const PLAIN_INTERVAL_MS = 15_000;

/** Returns a bar on a terminal, and elsewhere a line now and then. */
export function createProgress(stream: NodeJS.WriteStream = process.stdout): Progress {
  return stream.isTTY ? bar(stream) : lines(stream);
}

function bar(stream: NodeJS.WriteStream): Progress {
  let shown: SingleBar | undefined;
  return {
    show(share, text) {
      if (!shown) {
        shown = new SingleBar({
          stream,
          format: '{bar} {percentage} % {text}',
          hideCursor: true,
          clearOnComplete: true,
        });
        shown.start(1_000, 0, { text });
      }
      shown.update(Math.round(share * 1_000), { text });
    },
    end() {
      shown?.stop();
      shown = undefined;
    },
  };
}

function lines(stream: NodeJS.WriteStream): Progress {
  let lastAt = 0;
  return {
    show(share, text) {
      if (Date.now() - lastAt < PLAIN_INTERVAL_MS) return;
      lastAt = Date.now();
      stream.write(`${Math.round(share * 100)} % ${text}\n`);
    },
    end: () => undefined,
  };
}
