/** Runs tasks one after the other in the order in which they were given, whether the one before failed or not. */
export function serial(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined); // its caller gets the failure
    return result;
  };
}
