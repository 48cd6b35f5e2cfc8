/**
 * Where everything stands in the picture of a chart: boxes in boxes, arrows, labels. The Eclipse Layout Kernel does
 * the work; this file tells it sizes and reads its answer back. It knows no colours.
 */
import type { ElkExtendedEdge, ElkNode } from 'elkjs';
import elk from 'elkjs/lib/elk.bundled.js';
import { everyState, type State } from './chart.ts';
import type { Arrow, Drawing } from './drawing.ts';

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

const spacing = {
  'elk.layered.spacing.nodeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.spacing.nodeNode': '12',
  'elk.spacing.edgeNode': '10',
  'elk.spacing.edgeEdge': '8',
  'elk.spacing.labelNode': '4',
  'elk.spacing.edgeLabel': '2',
};
const options = {
  ...spacing,
  algorithm: 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.layered.nodePlacement.strategy': 'LINEAR_SEGMENTS',
  'elk.layered.considerModelOrder.strategy': 'PREFER_EDGES',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
};

export async function layOut(drawing: Drawing): Promise<Layout> {
  const { chart, arrows } = drawing;
  const all = everyState(chart);
  const graph: ElkNode = await new elk.default().layout({
    id: 'root',
    layoutOptions: options,
    children: [...startOf(chart), ...chart.states.map((state) => node(state, drawing))],
    edges: [...arrows.map(edgeOf), ...all.flatMap(startArrow)],
  });

  const nodes = new Map(everyNode(graph).map((found) => [found.id, found]));
  const states = all.filter(({ path }) => path !== chart.path);
  return {
    width: Math.ceil(graph.width ?? 0),
    height: Math.ceil(graph.height ?? 0),
    states: states.map((state) => ({
      state,
      lines: drawing.linesOf(state),
      ...boxOf(nodes.get(state.path)),
    })),
    starts: all.flatMap(startOf).map(({ id }) => boxOf(nodes.get(id))),
    edges: (graph.edges ?? []).map((edge, i) => ({
      points: pointsOf(edge),
      label: { lines: arrows[i]?.lines ?? [], ...boxOf(edge.labels?.[0]) },
    })),
  };
}

function node(state: State, drawing: Drawing): ElkNode {
  if (state.states.length > 0) {
    return {
      id: state.path,
      layoutOptions: { ...spacing, 'elk.padding': '[top=36,left=14,bottom=14,right=14]' },
      children: [...startOf(state), ...state.states.map((child) => node(child, drawing))],
    };
  }
  const lines = drawing.linesOf(state);
  const inner = Math.max(state.name.length * nameChar, ...lines.map(({ length }) => length * labelChar));
  const height = nameLine + (lines.length === 0 ? 0 : lines.length * labelLine + 2);
  const size = { id: state.path, width: inner + 24, height };
  const led = drawing.arrows.some(({ from, to }) => from === state.path || to === state.path);
  return led ? size : { ...size, layoutOptions: { 'elk.layered.layering.layerConstraint': 'LAST' } };
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

function edgeOf({ from, to, lines }: Arrow): ElkExtendedEdge {
  const width = Math.max(...lines.map(({ length }) => length)) * labelChar + 8;
  const label = { text: lines.join('\n'), width, height: lines.length * labelLine + 4 };
  return { id: `${from} to ${to}`, sources: [from], targets: [to], labels: [label] };
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
