import { grouped } from '../../bench/harness/markdown';
import { ORDERS, PAYMENTS, SALE } from './sale';
import type { Run, Sample } from './simulation';

const WIDTH = 760;
const LEFT = 64;
const RIGHT = 16;
const PANEL = 110;
const GAP = 52;
const TOP = 58;
const TICK_SECONDS = 120;

interface Line {
  name: string;
  /** One of the two colours. */
  colour: 'a' | 'b';
  values: number[];
}

interface Panel {
  title: string;
  lines: Line[];
}

/** A picture of a run, readable on light and dark pages: orders per second, backlog, replicas, over minutes. */
export function chartOf(title: string, { samples }: Run, saleSeconds: number): string {
  const end = samples.at(-1)!.at;
  const x = (at: number) => LEFT + (at / end) * (WIDTH - LEFT - RIGHT);
  const panels = panelsOf(samples);
  const bottom = TOP + panels.length * (PANEL + GAP) - GAP;
  const parts = [
    `<text class="title" x="${LEFT}" y="20">${title}</text>`,
    saleBand(x, bottom, saleSeconds),
    ...panels.map((panel, index) => panelOf(panel, samples, x, TOP + index * (PANEL + GAP))),
    minutes(x, bottom, end),
  ];
  const size = `width="${WIDTH}" height="${bottom + 40}" viewBox="0 0 ${WIDTH} ${bottom + 40}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${title}">\n${STYLE}\n${parts.join('\n')}\n</svg>\n`;
}

function panelsOf(samples: readonly Sample[]): Panel[] {
  const at = (station: number, of: (state: Sample['stations'][number]) => number) =>
    samples.map(({ stations }) => of(stations[station]!));
  return [
    {
      title: 'Orders per second',
      lines: [
        { name: 'placed', colour: 'a', values: ratesOf(samples, ({ placed }) => placed) },
        { name: 'confirmed', colour: 'b', values: ratesOf(samples, ({ finished }) => finished) },
      ],
    },
    {
      title: 'Waiting tasks',
      lines: [
        { name: 'orders queue', colour: 'a', values: at(ORDERS, ({ waiting }) => waiting) },
        { name: 'payments queue', colour: 'b', values: at(PAYMENTS, ({ waiting }) => waiting) },
      ],
    },
    {
      title: 'Replicas that poll',
      lines: [
        { name: 'order workers', colour: 'a', values: at(ORDERS, ({ ready }) => ready) },
        { name: 'payment workers', colour: 'b', values: at(PAYMENTS, ({ ready }) => ready) },
      ],
    },
  ];
}

/** How fast the count grew between each two samples, per second. */
function ratesOf(samples: readonly Sample[], of: (sample: Sample) => number): number[] {
  return samples.map((sample, index) => {
    const before = samples[index - 1];
    return before ? (of(sample) - of(before)) / (sample.at - before.at) : 0;
  });
}

function panelOf(
  { title, lines }: Panel,
  samples: readonly Sample[],
  x: (at: number) => number,
  top: number,
): string {
  const most = niceAbove(
    lines.flatMap(({ values }) => values).reduce((one, other) => Math.max(one, other), 1),
  );
  const y = (value: number) => top + PANEL * (1 - value / most);
  const ticks = [0, most / 2, most].map(
    (value) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(value))}" y2="${round(y(value))}"/>` +
      `<text class="tick" text-anchor="end" x="${LEFT - 8}" y="${round(y(value) + 4)}">${label(value)}</text>`,
  );
  const curves = lines.map(({ colour, values }) => {
    const points = values.map((value, index) => `${round(x(samples[index]!.at))},${round(y(value))}`);
    return `<polyline class="${colour}" points="${points.join(' ')}"/>`;
  });
  return [
    ...ticks,
    `<text x="${LEFT}" y="${top - 12}">${title}</text>`,
    ...legendOf(lines, top - 12),
    ...curves,
  ].join('\n');
}

function legendOf(lines: readonly Line[], y: number): string[] {
  return lines.map(({ name, colour }, index) => {
    const from = WIDTH - RIGHT - (lines.length - index) * 145;
    const swatch = `<line class="${colour}" x1="${from}" x2="${from + 22}" y1="${y - 4}" y2="${y - 4}"/>`;
    return `${swatch}<text x="${from + 28}" y="${y}">${name}</text>`;
  });
}

function saleBand(x: (at: number) => number, bottom: number, saleSeconds: number): string {
  const [from, to] = [x(SALE.begins), x(SALE.begins + saleSeconds)];
  const place = `x="${round(from)}" width="${round(to - from)}" y="${TOP}" height="${bottom - TOP}"`;
  return `<rect class="sale" ${place}/>`;
}

function minutes(x: (at: number) => number, bottom: number, end: number): string {
  const ticks: string[] = [];
  for (let at = 0; at <= end; at += TICK_SECONDS) {
    ticks.push(
      `<text class="tick" text-anchor="middle" x="${round(x(at))}" y="${bottom + 18}">${at / 60}</text>`,
    );
  }
  const what = 'minutes; the sale is shaded';
  return [
    ...ticks,
    `<text class="tick" text-anchor="end" x="${WIDTH - RIGHT}" y="${bottom + 34}">${what}</text>`,
  ].join('\n');
}

/** The least of 1, 1.5, 2, 3, 5 and 8 times a power of ten that is not below. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 5, 8].find((digit) => digit * power >= value) ?? 10);
}

function label(value: number): string {
  return Number.isInteger(value) ? grouped(value) : value.toFixed(1);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const STYLE = `<style>
  svg { background: #ffffff; }
  text { font: 13px system-ui, sans-serif; fill: #1f2933; }
  .title { font-weight: 600; font-size: 14px; }
  .tick { font-size: 12px; fill: #52606d; }
  .grid { stroke: #d5dbe1; }
  .sale { fill: #8896a5; opacity: 0.14; }
  polyline, .a, .b { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .a { stroke: #1f6fc4; }
  .b { stroke: #c2570c; }
  @media (prefers-color-scheme: dark) {
    svg { background: #10161d; }
    text { fill: #e4e9ee; }
    .tick { fill: #a3b1bf; }
    .grid { stroke: #2c3845; }
    .a { stroke: #6bb1ff; }
    .b { stroke: #ffa25f; }
  }
</style>`;
