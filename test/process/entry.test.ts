import { runEntry, stopSignal } from '../../src/process/entry';

const main = jest.fn<Promise<void>, [NodeJS.ProcessEnv]>();
const exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
afterAll(() => jest.restoreAllMocks());

it.each([
  [new Error('PORT is in use.'), 'PORT is in use.\n'],
  ['not an error', 'not an error\n'],
])('tells people in one line, and exits with code 1, if %s is thrown', async (thrown, line) => {
  main.mockRejectedValueOnce(thrown);
  runEntry(main, { isForPeople: true });
  await new Promise(setImmediate);
  expect(main).toHaveBeenCalledWith(process.env);
  expect(stderr).toHaveBeenCalledWith(line);
  expect(exit).toHaveBeenCalledWith(1);
});

it.each(['SIGTERM', 'SIGINT'] as const)('resolves with %s', async (signal) => {
  const stopped = stopSignal();
  process.emit(signal, signal);
  await expect(stopped).resolves.toBe(signal);
});
