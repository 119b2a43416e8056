import { ENDS_SESSIONS } from '../../../tools/fuzz/exceptions';
import { operationsOf } from '../../../tools/fuzz/known-values';
import { readFuzzOptions } from '../../../tools/fuzz/options';
import { settings } from '../../../tools/fuzz/settings';

describe('the options of the fuzzer', () => {
  it('default to 500 examples of everything, as each role', () => {
    expect(readFuzzOptions([], {})).toMatchObject({
      examples: 500,
      roles: ['PUBLIC', 'CUSTOMER', 'ADMIN'],
      phases: ['examples', 'coverage', 'fuzzing', 'stateful'],
      operations: [],
      mayBeSkipped: false,
    });
  });

  it('prefer the command line to the environment', () => {
    expect(readFuzzOptions([], { FUZZ_EXAMPLES: '9' }).examples).toBe(9);
    const args = ['--examples', '7', '--role', 'admin', '--phase', 'stateful', '--operation', 'login'];
    expect(readFuzzOptions(args, { FUZZ_EXAMPLES: '9' })).toMatchObject({
      examples: 7,
      roles: ['ADMIN'],
      phases: ['stateful'],
      operations: ['login'],
    });
  });

  it('allow a short run to be skipped without Python, but not in CI', () => {
    expect(readFuzzOptions(['--skippable'], {}).mayBeSkipped).toBe(true);
    expect(readFuzzOptions(['--skippable'], { CI: 'true' }).mayBeSkipped).toBe(false);
  });

  it.each([
    [['--examples', '0'], '--examples must be a whole number'],
    [['--role', 'ROOT'], '--role must be one of'],
    [['--phase', 'moon'], '--phase must be one of'],
    [['--speed', '9'], 'The options are'],
  ])('reject %j', (args, message) => {
    expect(() => readFuzzOptions(args, {})).toThrow(message);
  });
});

describe('the settings of a run', () => {
  const known = new Map([
    ['getOrder', [{ parameter: 'path.id', values: ['ord_"1"'], probability: 0.5 }]],
    ['live', []],
  ]);

  it('bind known values to the parameters of their operation', () => {
    const text = settings(known, true);
    expect(text).toContain('"getOrder-0" = { values = ["ord_\\"1\\""] }');
    expect(text).toContain(
      'include-operation-id = "getOrder"\n[operations.parameters]\n"path.id" = { dictionary',
    );
    expect(text).not.toContain('include-operation-id = "live"');
  });

  it('take the token from a variable, and have none for an unauthenticated caller', () => {
    expect(settings(known, true)).toContain('bearer = "${FUZZ_TOKEN}"');
    expect(settings(known, false)).not.toContain('bearer');
  });
});

it('names operations by method and path, as ENDS_SESSIONS does', () => {
  const paths = { '/users/me': { patch: { operationId: 'changeMe' } } };
  const [operation] = operationsOf({ paths });
  expect(operation).toEqual({ operationId: 'changeMe', name: 'PATCH /users/me' });
  expect(ENDS_SESSIONS.map((one) => one.operation)).toContain(operation!.name);
});
