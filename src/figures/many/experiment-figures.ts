import type { ScanOptions } from "../../analysis/scan/scan-options.js";
import type { ExperimentDocument } from "../../sweep/experiment/experiment-document.js";
import type { Figure } from "../figure.js";
import { RunSource } from "../runs/run-source.js";
import { type ArmRun, armsOverSteps, readArmRun } from "./arms-over-steps.js";
import { measuresByArm } from "./measures-by-arm.js";

/** The figures of an experiment: its arms over the steps, and its measures arm by arm. @throws {BhBridgeError} what reading a run throws; `ABORTED`. */
export async function experimentFigures(document: ExperimentDocument, scan: ScanOptions = {}): Promise<Figure[]> {
  const runs: ArmRun[] = [];
  for (const { arm, run } of [...document.control, ...document.treatment]) {
    using source = new RunSource(run, scan);
    runs.push(await readArmRun(arm, source));
  }
  if (runs.length === 0) return [];
  const arms = [...new Set(runs.map(({ arm }) => arm))];
  return [
    armsOverSteps(arms, runs),
    measuresByArm(
      document,
      runs.map(({ source }) => source),
    ),
  ];
}
