import { ALERT_SCENARIOS } from '../../tools/deploy/alert-scenarios';
import {
  metricsOf,
  mistakesOf,
  readDashboards,
  readQueries,
  readRules,
  type Panel,
} from '../../tools/deploy/queries';

const alerts = readRules().filter(({ alert }) => alert !== undefined);

it('every query of the rules and dashboards is PromQL', () => {
  const queries = readQueries();
  expect(queries.length).toBeGreaterThan(150);
  expect(
    queries.flatMap(({ expr, where }) => mistakesOf(expr).map((mistake) => `${where}: ${mistake}`)),
  ).toEqual([]);
  expect(queries.filter(({ expr }) => /\$/.test(expr))).toEqual([]);
});

it('every query about our processes heeds no other job, which may have metrics of the same names', () => {
  const ofOurs = readQueries().filter(({ where }) => !where.startsWith('Orders: Temporal server,'));
  const others = ofOurs.flatMap(({ expr, where }) =>
    metricsOf(expr)
      .filter((name) => !expr.includes(`${name}{job="orders-management-system"`))
      .map((name) => `${where}: ${name}`),
  );
  expect(others).toEqual([]);
});

it('no query names a bucket by a whole number, which Prometheus 3 writes with a decimal point', () => {
  expect(readQueries().filter(({ expr }) => /\ble="\d+"/.test(expr))).toEqual([]);
});

it('knows a mistake, and the metrics of a query', () => {
  expect(mistakesOf('sum(rate(a_total[5m])')).not.toEqual([]);
  expect(mistakesOf('sum(rate(a_total[5m])) by')).not.toEqual([]);
  expect(mistakesOf('a total')).not.toEqual([]);
  expect(metricsOf('sum by (x) (rate(a_total{b="c"}[5m])) / on (y) d or up{job="e"} == 0')).toEqual([
    'a_total',
    'd',
  ]);
});

it('every alert says how urgent it is, what happened, what to do, and where more about it stands', () => {
  expect(alerts.length).toBeGreaterThan(30);
  for (const { alert, labels, annotations } of alerts) {
    expect({ alert, severity: labels!.severity }).toEqual({
      alert,
      severity: expect.stringMatching(/^(critical|warning|info)$/),
    });
    expect(annotations).toMatchObject({
      summary: expect.stringMatching(/\S/),
      description: expect.stringMatching(/\. .*\.$/s),
      runbook_url: `docs/runbook.md#${alert!.toLowerCase()}`,
    });
  }
});

it('every alert is tried, and nothing else', () => {
  const tried = ALERT_SCENARIOS.flatMap(({ alert, others }) => [alert, ...Object.keys(others ?? {})]);
  expect(new Set(tried)).toEqual(new Set(alerts.map(({ alert }) => alert)));
});

describe('dashboards', () => {
  const dashboards = readDashboards();

  it('have ids and titles of their own', () => {
    expect(dashboards).toHaveLength(4);
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(4);
    expect(new Set(dashboards.map(({ title }) => title)).size).toBe(4);
  });

  it.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))(
    '%s has panels that do not cover each other, each with its queries',
    (_title, { panels }) => {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const covered = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}/${y + Math.floor(cell / w)}`),
      );
      expect(new Set(covered).size).toBe(covered.length);
      expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
      expect(panels.filter((panel) => panel.type !== 'row' && !hasQueries(panel))).toEqual([]);
    },
  );
});

function hasQueries({ targets = [] }: Panel): boolean {
  const ids = targets.map(({ refId }) => refId);
  return ids.length > 0 && new Set(ids).size === ids.length;
}
