/** A process that does what would print text. Started with the name of an error, it ends by that. */
import { createProcessLogger } from '../../src/process/logger';

const logger = createProcessLogger({ env: 'production', logLevel: 'info' }, 'noisy');
console.log('to %s', 'carol@example.com');
console.error(new Error('printed'));
process.emitWarning('careful');
setImmediate(() => {
  logger.info('alive');
  if (process.argv[2] === 'thrown') throw new Error('thrown');
  void Promise.reject(new Error('rejected'));
});
