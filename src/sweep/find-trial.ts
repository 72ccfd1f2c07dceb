import { BhBridgeError } from "../errors.js";
import type { SweepTrial } from "./sweep-document.js";

/** So many identities are told where one is wrong. */
const maxTold = 10;

/**
 * The trial that is meant by its identity, or by the beginning of one that no other trial shares.
 *
 * @throws {BhBridgeError} `USAGE` naming those that there are.
 */
export function findTrial(trials: readonly SweepTrial[], given: string): SweepTrial {
  const found = trials.filter(({ trial }) => trial.startsWith(given));
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  const there = (only ? found : trials).map(({ trial }) => trial);
  const told = there.length > maxTold ? `${there.slice(0, maxTold).join(", ")}, …` : there.join(", ") || "none";
  throw new BhBridgeError("USAGE", only ? `"${given}" is the beginning of several trials: ${told}` : `there is no trial "${given}"; there are ${told}`);
}
