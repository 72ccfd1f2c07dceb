import { z } from "zod";
import { currentAnalysisSchema } from "../../analysis/analysis-document.js";
import { nearestName } from "../../config/config-invalid.js";

/** The parts of a JSON Schema node that a path needs. */
interface Node {
  type?: string | readonly string[];
  properties?: Readonly<Record<string, Node>>;
  items?: Node;
  anyOf?: readonly Node[];
}

/** A node without its alternative null. */
function present(node: Node): Node {
  return node.anyOf?.find(({ type }) => type !== "null") ?? node;
}

function isNumber({ type }: Node): boolean {
  return [type].flat().some((each) => each === "number" || each === "integer");
}

const isIndex = (key: string) => /^-?\d+$/.test(key);

/** Why a path is not a number of the analysis document; undefined if it is. Examples: `geometry.pathLength`, `timeline.C.-1` (counted from the end). */
export function analysisPathProblem(path: string): string | undefined {
  let node = z.toJSONSchema(currentAnalysisSchema()) as Node;
  for (const key of path.split(".")) {
    const names = Object.keys(node.properties ?? {});
    const next = node.properties?.[key] ?? (isIndex(key) ? node.items : undefined);
    if (next === undefined) {
      if (node.items) return `${JSON.stringify(path)} needs an index in place of ${JSON.stringify(key)}: 0 is the first entry, -1 the last`;
      const near = nearestName(key, names);
      return `the analysis has no ${JSON.stringify(path)}${near === undefined ? "" : `; did you mean ${JSON.stringify(path.replace(key, near))}?`}`;
    }
    node = present(next);
  }
  if (isNumber(node)) return undefined;
  const below = node.items ? "an index: 0 is the first entry, -1 the last" : `one of ${Object.keys(node.properties ?? {}).join(", ")}`;
  return `${JSON.stringify(path)} is not a number of the analysis${node.items || node.properties ? `: add ${below}` : ""}`;
}

/** The number at a path of an analysis; null if absent. */
export function numberAtAnalysisPath(document: object, path: string): number | null {
  const found = path.split(".").reduce<unknown>((current, key) => {
    if (Array.isArray(current)) return current.at(Number(key));
    return typeof current === "object" && current !== null ? Object.entries(current).find(([name]) => name === key)?.[1] : undefined;
  }, document);
  return typeof found === "number" ? found : null;
}

/** Counts of a census, by measure. */
const censusMeasures = {
  C: { count: "C", tokens: "all", what: "black holes" },
  P: { count: "P", tokens: "all", what: "tokens in black holes" },
  unique: { count: "unique", tokens: "all", what: "distinct rows" },
  deadC: { count: "C", tokens: "dead", what: "black holes among the dead tokens" },
  deadP: { count: "P", tokens: "dead", what: "dead tokens in black holes with another dead token" },
  deadUnique: { count: "unique", tokens: "dead", what: "distinct rows among the dead tokens" },
} as const;

/** Other numbers of a run, by measure. */
const figureMeasures = {
  displacement: "L2 norm of the centroid's displacement from the first state to the last",
  finalLoss: "the last entry of the loss table: mean training loss since the previous entry, or the loss of the last step for a run without a log",
  evalLoss: "loss on the held-out text, at the last evaluation",
  stepsToFreeze: "steps after which no weight of the embedding changes; none for a run that still moves in its last step",
} as const;

type CensusName = keyof typeof censusMeasures;
export type FigureName = keyof typeof figureMeasures;

export type Measure =
  | { readonly from: "score" }
  | { readonly from: "census"; readonly count: "C" | "P" | "unique"; readonly tokens: "all" | "dead"; readonly step: number | null }
  | { readonly from: "run"; readonly figure: FigureName }
  | { readonly from: "analysis"; readonly path: string };

export type DefaultMeasure = "score" | CensusName | FigureName;

/** The measures that every experiment describes. */
export const defaultMeasures: readonly string[] = ["score", ...Object.keys(censusMeasures), ...Object.keys(figureMeasures)];

const isCensusName = (name: string): name is CensusName => Object.hasOwn(censusMeasures, name);
const isFigureName = (name: string): name is FigureName => Object.hasOwn(figureMeasures, name);

/** A census of a recorded step: `deadC@1000`. */
const ofStep = /^(\w+)@(\d+)$/;

/** Parse the name of a measure: a default one, a census of a recorded step (`deadC@1000`), or a path in the analysis document. */
export function parseMeasure(name: string): Measure {
  if (name === "score") return { from: "score" };
  if (isFigureName(name)) return { from: "run", figure: name };
  const [, counted = name, step] = ofStep.exec(name) ?? [];
  if (!isCensusName(counted)) return { from: "analysis", path: name };
  const { count, tokens } = censusMeasures[counted];
  return { from: "census", count, tokens, step: step === undefined ? null : Number(step) };
}

/** Whether a measure counts black holes, their tokens or distinct rows, as the score does. */
export function isCensusMeasure(name: string): boolean {
  return parseMeasure(name).from === "census";
}

/** Why a name is no measure, with a suggestion; undefined if it is one. */
export function measureProblem(name: string): string | undefined {
  if (parseMeasure(name).from !== "analysis") return undefined;
  if (name.includes(".")) return analysisPathProblem(name);
  const near = nearestName(name, defaultMeasures);
  const meant = near === undefined ? "" : `did you mean ${JSON.stringify(near)}? `;
  return `there is no measure ${JSON.stringify(name)}: ${meant}there are ${defaultMeasures.join(", ")}, counts of a step (deadC@1000), and numbers of the analysis by path (geometry.pathLength)`;
}

/** A short description of a measure. */
export function describeMeasure(name: string): string {
  if (name === "score") return "1 for a run that scores positive, 0 for one that scores null";
  if (isFigureName(name)) return figureMeasures[name];
  const [, counted = name, step] = ofStep.exec(name) ?? [];
  if (isCensusName(counted)) return `${censusMeasures[counted].what}, ${step === undefined ? "in the last state" : `after step ${step}`}`;
  return `${name} of the analysis`;
}
