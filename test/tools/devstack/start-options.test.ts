import { spawnSync } from 'node:child_process';
import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareDataFolder } from '../../../tools/devstack/start/data-folder';
import { requireDevelopment } from '../../../tools/devstack/start/development-only';
import { portsToOpen, readOptions } from '../../../tools/devstack/start/options';
import { temporaryFolder } from './fakes';

describe('the options of npm start', () => {
  it('default to the usual ports and no flags', () => {
    expect(readOptions({}, [])).toMatchObject({
      watch: false,
      allowRemoteServers: false,
      port: 3_000,
      temporalPort: 7_233,
      mongodbPort: 27_017,
      baseUrl: 'http://localhost:3000/orders-management-system',
    });
  });

  it('come from flags and variables', () => {
    const options = readOptions({ PORT: '3001', DATA_DIR: '/data' }, ['--watch', '--allow-remote-servers']);
    expect(options).toMatchObject({
      watch: true,
      allowRemoteServers: true,
      port: 3_001,
      dataFolder: '/data',
    });
  });

  it('give the API and the worker a port each for their metrics, if they are wanted', () => {
    const env = { METRICS_PORT: '9464' };
    const options = readOptions(env, []);
    expect(options.metricsPorts).toEqual({ api: 9_464, worker: 9_465 });
    expect(portsToOpen(options, env)).toMatchObject({ METRICS_PORT: 9_464, 'METRICS_PORT + 1': 9_465 });
    expect(readOptions({}, [])).not.toHaveProperty('metricsPorts');
  });

  it.each([
    [{}, ['--wtach'], 'The options are --watch and --allow-remote-servers'],
    [{ METRICS_PORT: '65535' }, [], 'METRICS_PORT must be below 65535'],
    [{ PORT: '99999' }, [], 'PORT must be a port from 1 to 65535, not "99999"'],
  ])('rejects %j %j', (env, args, message) => {
    expect(() => readOptions(env, args)).toThrow(message);
  });
});

describe('npm start', () => {
  it.each([
    [{ NODE_ENV: 'production' }, 'NODE_ENV is production, but npm start is for development'],
    [{ MONGODB_URI: 'mongodb://db.example.com/orders' }, 'MONGODB_URI names db.example.com'],
    [{ MONGODB_URI: 'mongodb+srv://user:word@cluster.example.com' }, 'MONGODB_URI names cluster.example.com'],
    [{ MONGODB_URI: 'mongodb://localhost:27017,10.0.0.7:27017/orders' }, 'MONGODB_URI names 10.0.0.7'],
    [{ MONGODB_URI: 'mongodb://localhost@db.example.com?a=b' }, 'MONGODB_URI names db.example.com'],
    [{ MONGODB_URI: 'mongodb://127.evil.example' }, 'MONGODB_URI names 127.evil.example'],
    [{ TEMPORAL_ADDRESS: 'temporal:7233' }, 'TEMPORAL_ADDRESS names temporal'],
    [{ TEMPORAL_ADDRESS: '[2001:db8::1]:7233' }, 'TEMPORAL_ADDRESS names 2001:db8::1'],
  ])('refuses to run with %j', (env, message) => {
    expect(() => requireDevelopment(env, false)).toThrow(message);
  });

  it.each([
    {},
    { NODE_ENV: 'development', MONGODB_URI: '', TEMPORAL_ADDRESS: 'localhost:7233' },
    { MONGODB_URI: 'mongodb://127.0.0.1:27017,127.0.0.2/orders?replicaSet=rs0' },
    { MONGODB_URI: 'mongodb://%2Ftmp%2Fmongodb.sock/orders', TEMPORAL_ADDRESS: '[::1]:7233' },
  ])('runs with %j', (env) => {
    expect(() => requireDevelopment(env, false)).not.toThrow();
  });

  it('runs with servers on other machines when they are allowed, but never in production', () => {
    const env = { MONGODB_URI: 'mongodb://db.example.com', TEMPORAL_ADDRESS: 'temporal:7233' };
    expect(() => requireDevelopment(env, true)).not.toThrow();
    expect(() => requireDevelopment({ ...env, NODE_ENV: 'production' }, true)).toThrow('NODE_ENV');
  });
});

describe('the folder of the development data', () => {
  const umask = process.umask();
  let parent: string;

  beforeEach(async () => {
    parent = await temporaryFolder();
  });
  afterEach(async () => {
    process.umask(umask);
    await rm(parent, { recursive: true });
  });

  it('is readable by its owner only, and so is what processes create in it', async () => {
    const folder = join(parent, 'data');
    await mkdir(folder);
    await chmod(folder, 0o755);
    await prepareDataFolder(folder);
    spawnSync('sh', ['-c', 'mkdir logs && echo 1 > logs/api.log && echo 1 > run.json'], { cwd: folder });
    const modes = ['.', 'logs', 'logs/api.log', 'run.json'].map(async (name) => {
      return ((await stat(join(folder, name))).mode & 0o777).toString(8);
    });
    expect(await Promise.all(modes)).toEqual(['700', '700', '600', '600']);
  });

  it('is left as it is if it holds files that npm start did not make', async () => {
    const folder = join(parent, 'shared');
    await mkdir(folder);
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'letters.txt'), '');
    await expect(prepareDataFolder(folder)).rejects.toThrow('letters.txt, which npm start did not make');
    expect((await stat(folder)).mode & 0o777).toBe(0o755);
  });
});
