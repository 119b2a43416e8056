import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../tools/project';

const read = (...path: string[]) => readFileSync(join(PROJECT_ROOT, ...path), 'utf8');
const runbook = read('docs', 'runbook.md');

/** As GitHub makes them of headings of words. */
const anchors = new Set(
  [...runbook.matchAll(/^#{2,3} (.+)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-')),
);

const files = execFileSync('git', ['ls-files', 'src', 'activities', 'workflows', 'deploy', 'docs'], {
  cwd: PROJECT_ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => /\.(ts|ya?ml|json|tpl|md|js)$/.test(name));

it('has a page for each of its anchors that code, workflows, rules and other pages name', () => {
  const named = files.flatMap((file) => {
    const text = read(file);
    const links = [...text.matchAll(/(?:runbook\.md|\$\{RUNBOOK\})#([\w-]+)/g)];
    return links.map(([, anchor]) => ({ file, anchor: anchor! }));
  });
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(({ anchor }) => !anchors.has(anchor))).toEqual([]);
});

it('has a page for each state that docs/temporal-ui.md lists', () => {
  const listed = [...read('docs', 'temporal-ui.md').matchAll(/\| `#([\w-]+)`/g)].map(([, anchor]) => anchor!);
  expect(listed.length).toBeGreaterThan(10);
  expect(listed.filter((anchor) => !anchors.has(anchor))).toEqual([]);
});

it('has a page for each alert', () => {
  const rules = ['alerts.yml', 'slos.yml'].map((name) => read('deploy', 'helm', 'rules', name)).join('\n');
  const alerts = [...rules.matchAll(/^\s*- alert: (\w+)$/gm)].map(([, name]) => name!);
  expect(alerts.length).toBeGreaterThan(20);
  const missing = alerts.filter((name) => !new RegExp(`^### ${name}$`, 'm').test(runbook));
  expect([...new Set(missing)]).toEqual([]);
});

it('names only operations that the API has', () => {
  const { paths } = JSON.parse(read('docs', 'openapi.json')) as { paths: Record<string, object> };
  const known = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  const named = [...runbook.matchAll(/`((?:GET|POST|PATCH|PUT|DELETE) \/[\w/:-]*)/g)].map(
    ([, operation]) => operation!,
  );
  expect(named.length).toBeGreaterThan(20);
  expect([...new Set(named)].filter((operation) => !known.includes(operation))).toEqual([]);
});

it('names only panels that a dashboard has', () => {
  const dashboards = ['api', 'orders', 'workers', 'temporal']
    .map((name) => read('deploy', 'observability', 'grafana', `${name}.json`))
    .join('\n');
  const titles = new Set([...dashboards.matchAll(/"title": "([^"]+)"/g)].map(([, title]) => title!));
  const text = runbook.replace(/```[\s\S]*?```/g, '').replace(/`[^`]*`/g, '');
  const named = [...text.matchAll(/"([A-Z][^"]+)"/g)].map(([, title]) => title!);
  expect(named.length).toBeGreaterThan(30);
  expect([...new Set(named)].filter((title) => !titles.has(title))).toEqual([]);
});

it('names only variables that exist', () => {
  const known = read('docs', 'configuration.md');
  const named = [...runbook.matchAll(/`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)`/g)].map(([, name]) => name!);
  expect([...new Set(named)].filter((name) => !known.includes(`\`${name}\``))).toEqual([]);
});
