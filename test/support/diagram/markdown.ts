/**
 * machines/README.md: for each chart a Mermaid diagram, and under it a table for each state with every word that the
 * state takes. Text only; what stands in it comes from the charts.
 */
import { type Edge, everyState, type State } from './chart.ts';
import type { Drawing } from './drawing.ts';

export interface Chapter {
  readonly title: string;
  readonly text: string;
  /** The file with the picture, from machines/README.md. */
  readonly picture: string;
  readonly drawing: Drawing;
}

export function markdown(heading: string, chapters: readonly Chapter[]): string {
  return `${[heading, ...chapters.map(chapter)].join('\n\n')}\n`;
}

function chapter({ title, text, picture, drawing }: Chapter): string {
  const states = everyState(drawing.chart).filter(({ edges }) => edges.length > 0);
  const image = `![${title}](${picture})`;
  const mermaid = ['<details><summary>The same as Mermaid</summary>', ...diagrams(drawing), '</details>'];
  return [`## ${title}`, text, image, ...mermaid, ...states.map(table)].join('\n\n');
}

// ── diagrams ──

/** A parallel chart gets one diagram for each region: nothing leads from one into another. */
function diagrams(drawing: Drawing): string[] {
  const { chart } = drawing;
  const regions = chart.parallel ? chart.states : [chart];
  return regions.map((region) => {
    const inside = new Set(everyState(region).map(({ path }) => path));
    const arrows = drawing.arrows.filter(({ from }) => inside.has(from));
    const lines = arrows.map(({ from, to, lines }) => `  ${id(from)} --> ${id(to)} : ${lines.join('<br/>')}`);
    return ['```mermaid', 'stateDiagram-v2', ...body(region, drawing, '  '), ...lines, '```'].join('\n');
  });
}

function body(state: State, drawing: Drawing, indent: string): string[] {
  const first = state.initial === undefined ? [] : [`${indent}[*] --> ${id(state.initial.path)}`];
  const inner = state.states.flatMap((child) => {
    const written = drawing.linesOf(child);
    const name = [child.name, ...written].join('<br/>');
    const open = `${indent}state "${name}" as ${id(child.path)}`;
    return child.states.length === 0
      ? [open]
      : [`${open} {`, ...body(child, drawing, `${indent}  `), `${indent}}`];
  });
  return [...first, ...inner];
}

const id = (path: string): string => path.replaceAll('.', '_');

// ── tables ──

function table(state: State): string {
  const tags = state.tags.length === 0 ? '' : `\n\nTags: ${state.tags.map(code).join(' ')}`;
  const rows = merge(state.edges).map((row) => `| ${row.join(' | ')} |`);
  const head = '| word | when | to | do | tell |\n| --- | --- | --- | --- | --- |';
  return `### ${state.path}${tags}\n\n${[head, ...rows].join('\n')}`;
}

/** Words that come to the same are one row. */
function merge(edges: readonly Edge[]): string[][] {
  const rows = new Map<string, string[]>();
  edges.forEach((edge, i) => {
    const otherwise = edge.guard === undefined && edges.slice(0, i).some(({ word }) => word === edge.word);
    const when = otherwise ? 'otherwise' : (edge.guard ?? '');
    const to = edge.forbidden ? 'refused' : (edge.to ?? '');
    const rest = [when, to === '' || edge.forbidden ? to : code(to), texts(edge, 'do'), texts(edge, 'tell')];
    const key = JSON.stringify(rest);
    const row = rows.get(key);
    if (row === undefined) rows.set(key, [code(edge.word), ...rest]);
    else row[0] += ` ${code(edge.word)}`;
  });
  return [...rows.values()];
}

const texts = ({ effects }: Edge, kind: 'do' | 'tell'): string =>
  effects
    .filter((effect) => effect.kind === kind)
    .map(({ text }) => text)
    .join(', ');

const code = (text: string): string => `\`${text}\``;
