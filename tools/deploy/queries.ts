import type { LRParser } from '@lezer/lr';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT_ROOT } from '../project';
import { CHART } from './chart';

/** A query in PromQL, and where it stands. */
export interface Query {
  expr: string;
  where: string;
}

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** What is read of a dashboard of Grafana. */
export interface Dashboard {
  uid: string;
  title: string;
  annotations: { list: { name: string; expr?: string }[] };
  panels: Panel[];
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { refId: string; expr: string }[];
}

/** Its types are of its ES module only. */
const { parser } = createRequire(__filename)('@prometheus-io/lezer-promql') as { parser: LRParser };

const RULES = join(PROJECT_ROOT, CHART, 'rules');
const DASHBOARDS = join(PROJECT_ROOT, 'deploy', 'observability', 'grafana');
/** What Prometheus adds, or makes of its rules. */
const MADE = /^(up$|ALERTS$|slo:)/;

export function readRules(): Rule[] {
  return readdirSync(RULES).flatMap((name) => {
    const { groups } = parse(readFileSync(join(RULES, name), 'utf8')) as { groups: { rules: Rule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  });
}

export function readDashboards(): Dashboard[] {
  return readdirSync(DASHBOARDS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(DASHBOARDS, name), 'utf8')) as Dashboard);
}

/** Returns all queries of the rules and dashboards; what Grafana puts in is replaced as it would. */
export function readQueries(): Query[] {
  const rules = readRules().map(({ alert, record, expr }) => ({ expr, where: (alert ?? record)! }));
  const shown = readDashboards().flatMap(({ title, panels, annotations }) => [
    ...panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr }) => ({ expr, where: `${title}, ${panel.title}` })),
    ),
    ...annotations.list.flatMap(({ name, expr }) => (expr ? { expr, where: `${title}, ${name}` } : [])),
  ]);
  return [...rules, ...shown].map(({ expr, where }) => ({
    expr: expr.replaceAll('$__rate_interval', '1m'),
    where,
  }));
}

/** Returns what of the query is not PromQL, by its position. */
export function mistakesOf(expr: string): string[] {
  const mistakes: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from }) =>
      void (type.isError && mistakes.push(`${from}: ${expr.slice(from, from + 40)}`)),
  });
  return mistakes;
}

/** Returns the metrics that the query reads from processes. */
export function metricsOf(expr: string): string[] {
  const names: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, from, to }) => void (name === 'Identifier' && names.push(expr.slice(from, to))),
  });
  return names.filter((name) => !MADE.test(name));
}
