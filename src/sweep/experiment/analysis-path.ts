import { z } from "zod";
import { currentAnalysisSchema } from "../../analysis/analysis-document.js";
import { nearestName } from "../../config/nearest-name.js";

/** One node of the JSON Schema of the analysis document, as far as a path needs it. */
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

/**
 * What is wrong with a path to a number of the analysis document: `geometry.pathLength`, `timeline.C.-1` (counted from the end); undefined when nothing is.
 */
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

/** The number at a path of an analysis; null where it was left out, or is not finite. */
export function numberAtAnalysisPath(document: object, path: string): number | null {
  const found = path.split(".").reduce<unknown>((current, key) => {
    if (Array.isArray(current)) return current.at(Number(key));
    return typeof current === "object" && current !== null ? Object.entries(current).find(([name]) => name === key)?.[1] : undefined;
  }, document);
  return typeof found === "number" ? found : null;
}
