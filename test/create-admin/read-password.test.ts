import { PassThrough, Readable } from 'node:stream';
import { readPassword } from '../../src/create-admin/read-password';

afterEach(() => void jest.restoreAllMocks());

/** Gives the process another standard input, and returns what it writes to standard output. */
function withInput(input: Readable): string[] {
  const written: string[] = [];
  jest.spyOn(process, 'stdin', 'get').mockReturnValue(input as unknown as typeof process.stdin);
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  return written;
}

it.each([
  ['with a newline', 'correct horse \n'],
  ['with one of Windows', 'correct horse \r\n'],
  ['without one', 'correct horse '],
])('reads a password from a pipe that ends %s, and asks for nothing', async (_, text) => {
  const written = withInput(Readable.from([text]));
  expect(await readPassword()).toBe('correct horse ');
  expect(written).toEqual([]);
});

it('asks for the password on a terminal, and does not show it', async () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  const written = withInput(terminal);
  const password = readPassword();
  terminal.write('correct horse\r');
  expect(await password).toBe('correct horse');
  expect(written).toEqual(['Password of the ADMIN (12 to 128 characters): ', '\n']);
});
