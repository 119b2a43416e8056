import { runEntry } from '../../src/common/entry';

const main = jest.fn<Promise<void>, [NodeJS.ProcessEnv]>();
const exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
afterAll(() => jest.restoreAllMocks());

it('does nothing when another module was started', () => {
  runEntry(false, main);
  expect(main).not.toHaveBeenCalled();
});

it.each([
  [new Error('PORT is in use.'), 'PORT is in use.\n'],
  ['no error at all', 'no error at all\n'],
])('ends with one line and exit code 1 when %s is thrown', async (thrown, line) => {
  main.mockRejectedValueOnce(thrown);
  runEntry(true, main);
  await new Promise(setImmediate);
  expect(main).toHaveBeenCalledWith(process.env);
  expect(stderr).toHaveBeenCalledWith(line);
  expect(exit).toHaveBeenCalledWith(1);
});
