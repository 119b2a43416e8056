import { createLogger } from '../../src/logger/logger';
import { createLevelSwitch, onLevelSignal } from '../../src/process/level-switch';

function openLog(logLevel: string) {
  const levels: string[] = [];
  const written: string[] = [];
  const write = (line: string) => void written.push((JSON.parse(line) as { to: string }).to);
  const logger = createLogger({ env: 'production', logLevel }, { write });
  return { logger, written, levels, ...createLevelSwitch(logger, (level) => levels.push(level)) };
}

it.each([
  ['info', 'debug'],
  ['error', 'debug'],
  ['silent', 'debug'],
  ['debug', 'info'],
  ['trace', 'info'],
])('changes from %s to %s and back, says so, and tells others', (configured, other) => {
  const { logger, toggle, levels, written } = openLog(configured);
  toggle();
  expect(logger.level).toBe(other);
  toggle();
  expect(logger.level).toBe(configured);
  expect(levels).toEqual([other, configured]);
  expect(written).toEqual([other, configured]);
});

it('takes the level of another process, once', () => {
  const { logger, set, toggle, levels } = openLog('info');
  set('debug');
  set('debug');
  expect(levels).toEqual(['debug']);
  toggle();
  expect(logger.level).toBe('info');
});

it('changes with each SIGUSR2', () => {
  const { toggle, levels } = openLog('info');
  onLevelSignal(toggle);
  process.emit('SIGUSR2', 'SIGUSR2');
  process.emit('SIGUSR2', 'SIGUSR2');
  process.removeListener('SIGUSR2', toggle);
  expect(levels).toEqual(['debug', 'info']);
});
