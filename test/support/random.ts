import fc from 'fast-check';

/** Every property test of a run begins with the seed that the run prints. */
fc.configureGlobal({ seed: Number(process.env.TEST_SEED) });
