/** A promise that is resolved from outside. */
export interface Deferred {
  promise: Promise<void>;
  resolve(): void;
  isResolved(): boolean;
}

export function deferred(): Deferred {
  let isResolved = false;
  let settle!: () => void;
  const promise = new Promise<void>((resolve) => (settle = resolve));
  const resolve = () => {
    isResolved = true;
    settle();
  };
  return { promise, resolve, isResolved: () => isResolved };
}
