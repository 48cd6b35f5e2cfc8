/**
 * Where everything stands in the picture of a chart: boxes in boxes, arrows, labels. The Eclipse Layout Kernel does
 * the work; this file tells it sizes and reads its answer back. It knows no colours.
 */
import type { ElkExtendedEdge, ElkNode } from 'elkjs';
import ELK from 'elkjs/lib/elk.bundled.js';
import { type Edge, everyState, type State } from './chart.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedState extends Box {
  readonly state: State;
  /** Words that are written into the box, in place of arrows. */
  readonly lines: readonly string[];
}

export interface PlacedEdge {
  readonly points: readonly Point[];
  /** The words that take this way. */
  readonly label: Box & { readonly lines: readonly string[] };
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Outermost first. */
  readonly states: readonly PlacedState[];
  /** Where a chart, or a state with states in it, begins. */
  readonly starts: readonly Box[];
  readonly edges: readonly PlacedEdge[];
}

/** Of the monospaced fonts that a browser may choose, at the sizes that the picture uses. */
const labelChar = 6.7;
const nameChar = 8;
export const labelLine = 14;
export const nameLine = 34;

const options = {
  algorithm: 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.layered.spacing.nodeNodeBetweenLayers': '28',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.considerModelOrder.strategy': 'PREFER_EDGES',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
};

/** @param written targets that so much leads to that it is written into the boxes, and not drawn */
export async function layOut(chart: State, written: readonly string[]): Promise<Layout> {
  const all = everyState(chart);
  const isWritten = ({ from, to }: Edge): boolean => {
    const leaf = all.some(({ path, states }) => path === from && states.length === 0);
    return leaf && to !== undefined && written.includes(to);
  };
  const leading = all.flatMap(({ edges }) => edges).filter(({ to }) => to !== undefined);
  const drawn = merge(leading.filter((edge) => !isWritten(edge)));
  const linesOf = ({ path }: State): string[] =>
    leading
      .filter((edge) => edge.from === path && isWritten(edge))
      .map((edge) => `${label(edge)} ▸ ${name(edge.to)}`);

  const graph = await new ELK().layout({
    id: 'root',
    layoutOptions: options,
    children: [...startOf(chart), ...chart.states.map((state) => node(state, linesOf))],
    edges: [...drawn.map(arrow), ...all.flatMap(startArrow)],
  });

  const nodes = new Map(everyNode(graph).map((found) => [found.id, found]));
  const edges = new Map((graph.edges ?? []).map((edge) => [edge.id, edge]));
  const states = all.filter(({ path }) => path !== chart.path);
  return {
    width: Math.ceil(graph.width ?? 0),
    height: Math.ceil(graph.height ?? 0),
    states: states.map((state) => ({ state, lines: linesOf(state), ...boxOf(nodes.get(state.path)) })),
    starts: all.flatMap(startOf).map(({ id }) => boxOf(nodes.get(id))),
    edges: [...drawn, ...all.flatMap(startArrow).map(({ id }) => ({ id, lines: [] }))].map(
      ({ id, lines }) => {
        const edge = edges.get(id);
        return { points: pointsOf(edge), label: { lines, ...boxOf(edge?.labels?.[0]) } };
      },
    ),
  };
}

function node(state: State, linesOf: (state: State) => string[]): ElkNode {
  if (state.states.length > 0) {
    return {
      id: state.path,
      layoutOptions: { 'elk.padding': '[top=36,left=14,bottom=14,right=14]' },
      children: [...startOf(state), ...state.states.map((child) => node(child, linesOf))],
    };
  }
  const lines = linesOf(state);
  const inner = Math.max(state.name.length * nameChar, ...lines.map(({ length }) => length * labelChar));
  const height = nameLine + (lines.length === 0 ? 0 : lines.length * labelLine + 2);
  return { id: state.path, width: inner + 24, height };
}

/** The dot that an initial state is entered from. */
function startOf(state: State): ElkNode[] {
  return state.initial === undefined ? [] : [{ id: `start of ${state.path}`, width: 10, height: 10 }];
}

function startArrow({ path, initial }: State): ElkExtendedEdge[] {
  if (initial === undefined) return [];
  return [{ id: `start in ${path}`, sources: [`start of ${path}`], targets: [initial.path] }];
}

const everyNode = (graph: ElkNode): ElkNode[] => [graph, ...(graph.children ?? []).flatMap(everyNode)];

interface Arrow {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly lines: string[];
}

function arrow({ id, from, to, lines }: Arrow): ElkExtendedEdge {
  const width = Math.max(...lines.map(({ length }) => length)) * labelChar + 8;
  const text = { text: lines.join('\n'), width, height: lines.length * labelLine + 4 };
  return { id, sources: [from], targets: [to], labels: [text] };
}

/** One arrow between two states, whatever the number of words that take it. */
function merge(edges: readonly Edge[]): Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const edge of edges) {
    const { from, to = from } = edge;
    const id = `${from} to ${to}`;
    const arrow = arrows.get(id) ?? { id, from, to, lines: [] };
    arrow.lines.push(label(edge));
    arrows.set(id, arrow);
  }
  return [...arrows.values()];
}

const label = ({ word, guard }: Edge): string => (guard === undefined ? word : `${word} [${guard}]`);

/** `online.opening.ehlo` → `ehlo` */
const name = (path = ''): string => path.slice(path.lastIndexOf('.') + 1);

function boxOf(shape: Partial<Box> | undefined): Box {
  const { x = 0, y = 0, width = 0, height = 0 } = shape ?? {};
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}

function pointsOf(edge: ElkExtendedEdge | undefined): Point[] {
  const points = (edge?.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
    startPoint,
    ...bendPoints,
    endPoint,
  ]);
  return points.map(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) }));
}
