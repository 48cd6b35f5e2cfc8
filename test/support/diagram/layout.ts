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
}

export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  readonly points: readonly Point[];
  /** The words that take this way. */
  readonly label: Box & { readonly lines: readonly string[] };
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Outermost first. */
  readonly states: readonly PlacedState[];
  readonly edges: readonly PlacedEdge[];
}

/** Of the monospaced fonts that a browser may choose, at the size that the picture uses. */
const labelChar = 6.7;
const nameChar = 8;
export const labelLine = 14;

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
};

export async function layOut(chart: State): Promise<Layout> {
  const drawn = merge(everyState(chart).flatMap(({ edges }) => edges));
  const edges = drawn.map(({ from, to, lines }, i) => {
    const width = Math.max(...lines.map(({ length }) => length)) * labelChar + 8;
    const label = { text: lines.join('\n'), width, height: lines.length * labelLine + 4 };
    return { id: `edge ${i}`, sources: [from], targets: [to], labels: [label] };
  });
  const graph = await new ELK().layout({
    id: 'root',
    layoutOptions: options,
    children: chart.states.map(node),
    edges,
  });
  const states = everyState(chart).filter(({ path }) => path !== chart.path);
  const nodes = new Map(everyNode(graph).map((found) => [found.id, found]));
  return {
    width: Math.ceil(graph.width ?? 0),
    height: Math.ceil(graph.height ?? 0),
    states: states.map((state) => ({ state, ...boxOf(nodes.get(state.path)) })),
    edges: drawn.map(({ from, to, lines }, i) => {
      const edge = (graph.edges ?? [])[i];
      return { from, to, points: pointsOf(edge), label: { lines, ...boxOf(edge?.labels?.[0]) } };
    }),
  };
}

function node(state: State): ElkNode {
  const width = state.name.length * nameChar + 28;
  if (state.states.length === 0) return { id: state.path, width, height: 34 };
  return {
    id: state.path,
    layoutOptions: { 'elk.padding': '[top=40,left=16,bottom=16,right=16]' },
    children: state.states.map(node),
  };
}

const everyNode = (graph: ElkNode): ElkNode[] => [graph, ...(graph.children ?? []).flatMap(everyNode)];

/** One arrow between two states, whatever the number of words that take it. */
function merge(edges: readonly Edge[]): { from: string; to: string; lines: string[] }[] {
  const arrows = new Map<string, { from: string; to: string; lines: string[] }>();
  for (const { from, to, word, guard } of edges) {
    if (to === undefined) continue;
    const key = `${from} ${to}`;
    const arrow = arrows.get(key) ?? { from, to, lines: [] };
    arrow.lines.push(guard === undefined ? word : `${word} [${guard}]`);
    arrows.set(key, arrow);
  }
  return [...arrows.values()];
}

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
