import pino from 'pino';
import { runEntry, stopSignal } from '../../src/process/entry';

const main = jest.fn<Promise<void>, [NodeJS.ProcessEnv]>();
const exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
beforeEach(() => jest.clearAllMocks());
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

it('writes a failure that nobody watches as a line of the log on standard error, without secrets', async () => {
  const lines: unknown[] = [];
  const destination = jest.spyOn(pino, 'destination');
  destination.mockReturnValue({ write: (line: string) => lines.push(JSON.parse(line)) } as never);
  main.mockRejectedValueOnce(new Error('mongodb://user:hunter2@host:1 is no address of MongoDB.'));
  const { isTTY } = process.stderr;
  process.stderr.isTTY = false;
  runEntry(main);
  process.stderr.isTTY = isTTY;
  await new Promise(setImmediate);
  expect(destination).toHaveBeenCalledWith({ dest: 2, sync: true });
  expect(lines).toMatchObject([
    {
      level: 'fatal',
      msg: 'the process failed',
      err: { message: 'mongodb://[redacted]@host:1 is no address of MongoDB.' },
    },
  ]);
  expect(exit).toHaveBeenLastCalledWith(1);
});

it.each(['SIGTERM', 'SIGINT'] as const)('resolves with %s', async (signal) => {
  const stopped = stopSignal();
  process.emit(signal, signal);
  await expect(stopped).resolves.toBe(signal);
});
