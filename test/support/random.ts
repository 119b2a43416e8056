import fc from 'fast-check';

/** Every property test of a run begins with the seed that the run prints. */
const seed = Number(process.env.TEST_SEED);

fc.configureGlobal({ seed });

/** Makes properties fail with the first example that they find, not with the smallest. */
export function stopAtFirstFailure(): void {
  fc.configureGlobal({ seed, endOnFailure: true });
}
