import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CHART } from '../deploy/chart';
import { PROJECT_ROOT } from '../project';

interface RuleFile {
  groups: { name: string; interval?: string; rules: { alert?: string; expr: string; for?: string }[] }[];
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
/** A value beyond which something lasts too long, in seconds, and a shorter one, by alert. */
const THRESHOLDS: Readonly<Record<string, [from: string, to: string]>> = {
  AuditLogNotSealed: ['> 1800', '> 90'],
  CompensationPendingTooLong: ['> 600', '> 5'],
  OrderPendingTooLong: ['> 3600', '> 30'],
  WebhookReceiverDead: ['> 600', '> 5'],
};

/** Returns a file of rules whose windows are so much shorter. A scrape takes up to two seconds, for
 * what does not respond, so no window has less than four of them. */
export function shortenedRules(name: string, factor: number): string {
  const file = parse(readFileSync(join(PROJECT_ROOT, CHART, 'rules', name), 'utf8')) as RuleFile;
  const shorter = (_: string, amount: string, unit: string): string =>
    `${Math.max(8, Math.round((Number(amount) * SECONDS[unit]!) / factor))}s`;
  for (const { rules } of file.groups)
    for (const rule of rules) {
      const [from, to] = THRESHOLDS[rule.alert ?? ''] ?? ['', ''];
      if (!rule.expr.includes(from)) throw new Error(`${rule.alert} has no "${from}" any more.`);
      rule.expr = rule.expr
        .replace(from, to)
        .replace(/\[(\d+)([smhd])\]/g, (range) => range.replace(/(\d+)([smhd])/, shorter));
      if (rule.for) rule.for = rule.for.replace(/(\d+)([smhd])/, shorter);
    }
  return stringify(file);
}
