import { readRunManifest } from "../../runs/run-manifest.js";
import type { SweepDocument } from "../../sweep/sweep-document.js";
import type { Figure } from "../figure.js";
import { sweptFields } from "./swept-field.js";

/** The figures of a sweep: measures over each field that it sweeps. @throws {BhBridgeError} what reading a run throws. */
export function sweepFigures({ trials }: SweepDocument): Figure[] {
  const sources = trials.flatMap(({ run, result }) => {
    if (run === null || result === null) return [];
    const { name, config_hash: hash } = readRunManifest(run);
    return [{ name, hash }];
  });
  return sweptFields(trials, sources);
}
