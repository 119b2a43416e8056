/**
 * Returns a function that runs tasks one at a time, in the order in which they came, even after one has
 * failed.
 */
export function createMutex(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined); // the caller of that task handles its failure
    return result;
  };
}
