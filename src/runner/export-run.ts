import { z } from "zod";
import { callArguments } from "../bridge/call-arguments.js";
import { BhBridgeError } from "../errors.js";
import { exportModel } from "./export-model.js";
import { exportTensor } from "./export-tensor.js";
import { type Exported, type ExportTarget, exportTargets } from "./exported.js";

/** What is exported, and where to. */
export interface ExportOptions {
  /** `hf` takes the final model of a run, `csv` one state, the others the whole history. */
  to: ExportTarget;
  /** File or directory to make; nothing is overwritten. */
  out: string;
  /** The tensor that is meant; by default what looks like the embedding. Not with `hf`. */
  tensor?: string | undefined;
  /** Of a history, the state after this training step alone; `csv` takes the last one by default. Not with `hf`. */
  step?: number | undefined;
}

const exportArguments = z.strictObject({
  path: z.string(),
  to: z.enum(exportTargets),
  out: z.string().min(1),
  tensor: z.string().optional(),
  step: z.int().nonnegative().optional(),
});

/**
 * Give a model, a history or a matrix to Python and spreadsheets, without Python.
 *
 * @param path a run, or for anything but `hf` any file or directory that `openCheckpoint` opens.
 * @throws {BhBridgeError} `USAGE` for a wrong argument, a step that was not recorded and a run without a final model; `FILE_UNWRITABLE` when `out` is there
 *   already, `DISK_FULL`; what opening the run or file throws.
 */
export async function exportRun(path: string, options: ExportOptions): Promise<Exported> {
  const { to, out, tensor, step } = callArguments("exportRun", exportArguments, { ...options, path });
  if (to !== "hf") return exportTensor({ path, tensor, step }, to, out);
  const unfit = tensor !== undefined ? "tensor" : step !== undefined ? "step" : undefined;
  if (unfit !== undefined) throw new BhBridgeError("USAGE", `exportRun: ${unfit} does not go with to "hf": only the final model is complete`);
  return exportModel(path, out);
}
