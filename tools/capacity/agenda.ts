/** What is to happen when: a binary heap, first in first out among those of the same time. */
export interface Agenda {
  /** Seconds. */
  now(): number;
  in(seconds: number, act: () => void): void;
  /** Lets everything happen up to that time. */
  runUntil(seconds: number): void;
}

interface Entry {
  at: number;
  turn: number;
  act: () => void;
}

export function createAgenda(): Agenda {
  const heap: Entry[] = [];
  let time = 0;
  let turns = 0;
  return {
    now: () => time,
    in: (seconds, act) => push(heap, { at: time + seconds, turn: turns++, act }),
    runUntil(end) {
      while (heap.length > 0 && heap[0]!.at <= end) {
        const { at, act } = pop(heap);
        time = at;
        act();
      }
      time = end;
    },
  };
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.turn < other.turn);
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (isBefore(heap[parent]!, entry)) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): Entry {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length > 0) sink(heap, last);
  return first;
}

/** Puts it in place of the first. */
function sink(heap: Entry[], entry: Entry): void {
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (isBefore(entry, heap[child]!)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = entry;
}
