/**
 * machines/README.md: for each chart a Mermaid diagram, and under it a table for each state with every word that the
 * state takes. Text only; what stands in it comes from the charts.
 */
import { type Edge, everyState, type State } from './chart.ts';

export interface Chapter {
  readonly title: string;
  readonly text: string;
  readonly chart: State;
}

export function markdown(heading: string, chapters: readonly Chapter[]): string {
  return `${[heading, ...chapters.map(chapter)].join('\n\n')}\n`;
}

function chapter({ title, text, chart }: Chapter): string {
  const states = everyState(chart).filter(({ edges }) => edges.length > 0);
  const parts = [`## ${title}`, text, ...diagrams(chart), ...states.map(table)];
  return parts.join('\n\n');
}

// ── diagrams ──

/** A parallel chart gets one diagram for each region: nothing leads from one into another. */
function diagrams(chart: State): string[] {
  const regions = chart.parallel ? chart.states : [chart];
  return regions.map((region) => {
    const lines = ['stateDiagram-v2', ...body(region, '  '), ...arrows(region).map((line) => `  ${line}`)];
    return ['```mermaid', ...lines, '```'].join('\n');
  });
}

function body(state: State, indent: string): string[] {
  const first = state.initial === undefined ? [] : [`${indent}[*] --> ${id(state.initial.path)}`];
  const inner = state.states.flatMap((child) => {
    const open = `${indent}state "${child.name}" as ${id(child.path)}`;
    return child.states.length === 0 ? [open] : [`${open} {`, ...body(child, `${indent}  `), `${indent}}`];
  });
  return [...first, ...inner];
}

/** Edges that lead somewhere; those between the same two states are drawn as one. */
function arrows(region: State): string[] {
  const labels = new Map<string, string[]>();
  for (const { from, to, word, guard } of everyState(region).flatMap(({ edges }) => edges)) {
    if (to === undefined) continue;
    const arrow = `${id(from)} --> ${id(to)}`;
    labels.set(arrow, [...(labels.get(arrow) ?? []), label(word, guard)]);
  }
  return [...labels].map(([arrow, words]) => `${arrow} : ${words.join('<br/>')}`);
}

const label = (word: string, guard: string | undefined): string =>
  guard === undefined ? word : `${word} [${guard}]`;

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
