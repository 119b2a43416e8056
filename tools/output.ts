import { MultiBar, type SingleBar } from 'cli-progress';

/** Shows lines, and the progress of slow transfers. */
export interface Output {
  line(text: string): void;
  transfer(label: string, totalBytes?: number): Transfer;
}

export interface Transfer {
  update(bytes: number): void;
  end(): void;
}

const MEGABYTE = 1_000_000;
const PLAIN_INTERVAL_MS = 5_000;

/**
 * Returns an output with progress bars on a terminal, and with a line every five seconds of a transfer
 * elsewhere.
 */
export function createOutput(stream: NodeJS.WriteStream = process.stdout): Output {
  stream.on('error', () => undefined); // a reader that has gone, for example `| head`, is no reason to fail
  return stream.isTTY ? terminalOutput(stream) : plainOutput(stream);
}

export const silentOutput: Output = {
  line: () => undefined,
  transfer: () => ({ update: () => undefined, end: () => undefined }),
};

function plainOutput(stream: NodeJS.WriteStream): Output {
  const line = (text: string): void => void stream.write(`${text}\n`);
  return {
    line,
    transfer(label, totalBytes) {
      let lastSaid = Date.now();
      return {
        update(bytes) {
          if (Date.now() - lastSaid < PLAIN_INTERVAL_MS) return;
          lastSaid = Date.now();
          line(`${label} … ${amount(bytes, totalBytes)}`);
        },
        end: () => undefined,
      };
    },
  };
}

function terminalOutput(stream: NodeJS.WriteStream): Output {
  let bars: MultiBar | undefined;
  const open = new Set<SingleBar>();

  function close(bar: SingleBar): void {
    open.delete(bar);
    bar.stop();
    bars?.remove(bar);
    if (open.size > 0) return;
    bars?.stop();
    bars = undefined;
  }

  return {
    line: (text) => (bars ? bars.log(`${text}\n`) : void stream.write(`${text}\n`)),
    transfer(label, totalBytes) {
      bars ??= new MultiBar({
        stream,
        clearOnComplete: true,
        hideCursor: true,
        format: barFormat,
      });
      const bar = bars.create(totalBytes ?? 0, 0, { label });
      open.add(bar);
      return { update: (bytes) => bar.update(bytes), end: () => close(bar) };
    },
  };
}

function barFormat(
  _options: unknown,
  params: { value: number; total: number },
  payload: { label: string },
): string {
  const width = 20;
  const done = params.total > 0 ? Math.min(width, Math.round((params.value / params.total) * width)) : 0;
  const bar = params.total > 0 ? `${'█'.repeat(done)}${'░'.repeat(width - done)} ` : '';
  return `${payload.label} ${bar}${amount(params.value, params.total)}`;
}

function amount(bytes: number, totalBytes?: number): string {
  const done = (bytes / MEGABYTE).toFixed(0);
  return totalBytes ? `${done} of ${(totalBytes / MEGABYTE).toFixed(0)} MB` : `${done} MB`;
}

/** Returns the time since a `Date.now()`, for example `1.2 s`. */
export function secondsSince(start: number): string {
  return `${((Date.now() - start) / 1_000).toFixed(1)} s`;
}
