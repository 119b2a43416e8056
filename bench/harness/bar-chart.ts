export interface Bar {
  name: string;
  value: number;
}

const WIDTH = 760;
const NAMES = 220;
const LINE = 30;
const TOP = 44;

/** A bar chart as SVG, one line per bar; its colours suit a light and a dark page. */
export function barChart(title: string, bars: readonly Bar[], unit: string): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const lines = bars.map(({ name, value }, n) => {
    const [y, width] = [TOP + n * LINE, (value / most) * (WIDTH - NAMES - 120)];
    return [
      `<text x="${NAMES - 10}" y="${y + 15}" text-anchor="end">${escaped(name)}</text>`,
      `<rect x="${NAMES}" y="${y}" width="${width.toFixed(1)}" height="20" rx="3" fill="#3b82f6"/>`,
      `<text x="${(NAMES + width + 8).toFixed(1)}" y="${y + 15}">${Number(value.toPrecision(3))} ${escaped(unit)}</text>`,
    ].join('\n');
  });
  const height = TOP + bars.length * LINE + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#6b7280">`,
    `<text x="10" y="24" font-size="15">${escaped(title)}</text>`,
    ...lines,
    '</svg>\n',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
