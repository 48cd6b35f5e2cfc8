/**
 * What is drawn of a chart: one arrow between two states for all the words that take it, and, where too many arrows
 * would end, lines in the boxes in place of them.
 */
import { type Edge, everyState, type State } from './chart.ts';

export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** The words, with their guards. */
  readonly lines: readonly string[];
}

export interface Drawing {
  readonly chart: State;
  readonly arrows: readonly Arrow[];
  /** What is written into the box of a state. */
  linesOf(state: State): readonly string[];
}

/** @param written paths of states; arrows from innermost states to them are written and not drawn */
export function draw(chart: State, written: readonly string[]): Drawing {
  const all = everyState(chart);
  const innermost = new Set(all.filter(({ states }) => states.length === 0).map(({ path }) => path));
  const isWritten = ({ from, to = '' }: Edge): boolean => innermost.has(from) && written.includes(to);
  const arrows = new Map<string, { from: string; to: string; lines: string[] }>();
  for (const edge of all.flatMap(({ edges }) => edges)) {
    const { from, to } = edge;
    if (to === undefined || isWritten(edge)) continue;
    const key = `${from} ${to}`;
    const arrow = arrows.get(key) ?? { from, to, lines: [] };
    arrow.lines.push(...labels(edge));
    arrows.set(key, arrow);
  }
  return {
    chart,
    arrows: [...arrows.values()],
    linesOf: ({ edges }) => {
      const leaving = edges.filter(isWritten);
      const targets = [...new Set(leaving.map(({ to }) => to))];
      return targets.flatMap((target) => [
        ...leaving.filter(({ to }) => to === target).flatMap(labels),
        `▸ ${name(target)}`,
      ]);
    },
  };
}

const labels = ({ word, guard }: Edge): string[] => (guard === undefined ? [word] : [word, `[${guard}]`]);

/** `online.opening.ehlo` → `ehlo` */
const name = (path = ''): string => path.slice(path.lastIndexOf('.') + 1);
