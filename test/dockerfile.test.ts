import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const stages = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').split(/^(?=FROM )/m);
const stage = (name: string) => stages.find((text) => new RegExp(`^FROM \\S+ AS ${name}$`, 'm').test(text))!;

describe('the Dockerfile', () => {
  it('builds the production image by default, without the seed', () => {
    expect(stages.at(-1)).toBe(stage('production'));
    expect(stage('production')).not.toMatch(/--from=build /);
    const removed = stage('build-without-seed')
      .match(/^RUN rm -r (.*)$/m)![1]!
      .split(' ');
    expect(removed).toEqual(['dist/src/seed', 'dist/src/seed.js', 'dist/src/seed.js.map']);
  });

  it('keeps the seed in the development image', () => {
    expect(stage('development')).toMatch(/^COPY --from=build \/app\/dist\/src /m);
  });

  it.each(['seed.ts', 'seed', 'server.ts', 'healthcheck.ts'])(
    'names an entry that exists: src/%s',
    (name) => {
      expect(existsSync(join(ROOT, 'src', name))).toBe(true);
    },
  );
});

it.each(['Dockerfile', 'docker-compose.yml', 'docker-compose.production.yml'])(
  '%s names every image that is not built here by its digest',
  (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const images = [...text.matchAll(/^(?:FROM|\s+image:) (\S+[:@]\S+)/gm)].map(([, image]) => image!);
    const foreign = images.filter((image) => !image.startsWith('orders-management-system:'));
    expect(foreign.length).toBeGreaterThan(1);
    for (const image of foreign) expect(image).toMatch(/^[\w/.-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
  },
);
