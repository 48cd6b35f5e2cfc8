/** The picture of a chart from its layout. Plain SVG, to be read on light and dark pages alike. */
import {
  type Box,
  type Layout,
  labelLine,
  nameLine,
  type PlacedEdge,
  type PlacedState,
  type Point,
} from './layout.ts';

const margin = 12;
const style = `
  text { font: 11px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #57606a; }
  .name { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .state { fill: #ddf4ff; stroke: #0969da; }
  .group { fill: #f6f8fa; stroke: #afb8c1; }
  .arrow { fill: none; stroke: #6e7781; }
  .label { fill: #ffffff; fill-opacity: 0.85; }
  .over { paint-order: stroke; stroke: #f6f8fa; stroke-width: 4px; }
  .target { fill: #0969da; }
  .middle { text-anchor: middle; }
  .start { fill: #1f2328; }
`.trim();

export function svg(title: string, layout: Layout): string {
  const width = layout.width + 2 * margin;
  const height = layout.height + 2 * margin;
  const groups = layout.states.filter(({ state }) => state.states.length > 0);
  const states = layout.states.filter(({ state }) => state.states.length === 0);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#6e7781"/></marker></defs>',
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>`,
    `<g transform="translate(${margin} ${margin})">`,
    ...groups.map(group),
    ...layout.edges.map(arrow),
    ...groups.map(groupName),
    ...states.map(box),
    ...layout.starts.map(start),
    ...layout.edges.map(label),
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

function group({ x, y, width, height }: PlacedState): string {
  return `<rect class="group" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`;
}

/** Above the arrows that cross it. */
const groupName = ({ state, x, y }: PlacedState): string => text('name over', x + 12, y + 20, state.name);

function box({ state, lines, x, y, width, height }: PlacedState): string {
  const rect = `<rect class="state" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`;
  const middle = x + width / 2;
  const rows = lines.map((line, i) => {
    const kind = line.startsWith('▸') ? 'target middle' : 'middle';
    return text(kind, middle, y + nameLine + 7 + i * labelLine, line);
  });
  return [rect, text('name middle', middle, y + 21, state.name), ...rows].join('');
}

const start = ({ x, y, width }: Box): string =>
  `<circle class="start" cx="${x + width / 2}" cy="${y + width / 2}" r="${width / 2}"/>`;

const text = (kind: string, x: number, y: number, content: string): string =>
  `<text class="${kind}" x="${x}" y="${y}">${escaped(content)}</text>`;

function arrow({ points }: PlacedEdge): string {
  return `<path class="arrow" d="${rounded(points)}" marker-end="url(#head)"/>`;
}

function label({ label: { x, y, width, height, lines } }: PlacedEdge): string {
  if (lines.length === 0) return '';
  const rows = lines.map((line, i) => text('word', x + 4, y + 12 + i * labelLine, line));
  return `<rect class="label" x="${x}" y="${y}" width="${width}" height="${height}"/>${rows.join('')}`;
}

/** The way along the points, its corners rounded. */
function rounded(points: readonly Point[], radius = 6): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let from = first;
  const parts = [`M${first.x} ${first.y}`];
  rest.forEach((at, i) => {
    const next = rest[i + 1];
    if (next === undefined) {
      parts.push(`L${at.x} ${at.y}`);
    } else {
      const before = toward(at, from, radius);
      const after = toward(at, next, radius);
      parts.push(`L${before.x} ${before.y}Q${at.x} ${at.y} ${after.x} ${after.y}`);
    }
    from = at;
  });
  return parts.join('');
}

/** A point on the way from one to the other, at most half of it away. */
function toward(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const share = length === 0 ? 0 : Math.min(distance / length, 0.5);
  return {
    x: Math.round(from.x + (to.x - from.x) * share),
    y: Math.round(from.y + (to.y - from.y) * share),
  };
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
