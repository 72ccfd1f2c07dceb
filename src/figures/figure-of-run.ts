import { resolve } from "node:path";
import type { ScanOptions } from "../analysis/scan/scan-options.js";
import { BhBridgeError } from "../errors.js";
import type { Figure } from "./figure.js";
import { figuresOfRuns, type RunFigureName } from "./run-figures.js";
import { RunSource } from "./runs/run-source.js";

/**
 * One figure of a run, as plain data: from its files alone.
 *
 * @param run its directory, or a run that has been opened.
 * @throws {BhBridgeError} `USAGE` for a figure that there is not, or that the run has nothing for; `RUN_NOT_FOUND`, `RUN_CORRUPT`, `ABORTED`.
 */
export async function figure(run: string | { readonly directory: string }, name: RunFigureName, options: ScanOptions = {}): Promise<Figure> {
  const directory = resolve(typeof run === "string" ? run : run.directory);
  using source = new RunSource(directory, options);
  const [made] = await figuresOfRuns(name, [{ label: source.manifest.name, run: source }]);
  if (made && "figure" in made) return made.figure;
  throw new BhBridgeError("USAGE", `${directory} has nothing for the figure "${name}": ${made?.absent ?? "nothing was recorded"}`);
}
