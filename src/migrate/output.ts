import { SingleBar } from 'cli-progress';
import type { Progress } from '../migrations/run';

const PLAIN_INTERVAL_MS = 5_000;

export interface ProgressDisplay {
  show(progress: Progress): void;
  end(): void;
}

/** Shows how far a migration is: on one line of a terminal, and with a line every five seconds elsewhere. */
export function createProgress(stream: NodeJS.WriteStream): ProgressDisplay {
  if (!stream.isTTY) {
    let lastSaid = -Infinity;
    return {
      show(progress) {
        if (Date.now() - lastSaid < PLAIN_INTERVAL_MS) return;
        lastSaid = Date.now();
        stream.write(`${lineOf(progress)}\n`);
      },
      end: () => undefined,
    };
  }
  let bar: SingleBar | undefined;
  return {
    show(progress) {
      if (!bar) {
        bar = new SingleBar({ stream, clearOnComplete: true, hideCursor: true, format: '{bar} {text}' });
        bar.start(progress.total, 0, { text: '' });
      }
      bar.update(Math.min(progress.seen, progress.total), { text: lineOf(progress) });
    },
    end() {
      bar?.stop();
      bar = undefined;
    },
  };
}

function lineOf({ migration: { collection, to }, seen, total, changed }: Progress): string {
  return `${collection} to version ${to}: ${seen} of about ${total} documents, ${changed} changed`;
}
