import { closest, distance } from "fastest-levenshtein";

/**
 * The candidate that a misspelt name most likely means; undefined when none is near.
 *
 * A candidate that begins with the name is near (`rmsnorm` for `rmsnorm-11.2a`); else a third of the letters may differ.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  if (name === "" || candidates.length === 0) return undefined;
  const beginning = candidates.find((candidate) => candidate.startsWith(name));
  if (beginning !== undefined) return beginning;
  const found = closest(name, candidates);
  return distance(name, found) <= Math.ceil(name.length / 3) ? found : undefined;
}
