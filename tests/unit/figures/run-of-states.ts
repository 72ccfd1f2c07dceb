import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeHistory } from "../../../src/compare/rerecord.js";
import { type Figure, figureSchema, type Mark } from "../../../src/figures/figure.js";
import { isAbsent, type RunFigure, RunSource } from "../../../src/figures/runs/run-figure.js";
import type { History } from "../../../src/formats/history.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

/** A state as a test spells it out, row by row. */
export type StateRows = readonly (readonly number[])[];

export interface RunOfStates {
  /** Numbers that bfloat16 has, as all whole ones up to 256 are. */
  states: readonly StateRows[];
  dtype?: "BF16" | "F32";
  /** The training step of each state; state i is step i when left out. */
  steps?: readonly number[];
  /** The token of each row; row i is token i when left out. */
  tokens?: readonly number[];
  dead?: readonly number[];
  /** Further tensors, by name. */
  tensors?: Readonly<Record<string, readonly StateRows[]>>;
  /** The training steps of further tensors that do not begin with the first. */
  tensorSteps?: Readonly<Record<string, readonly number[]>>;
}

/** Write a run with these states. @returns its directory. */
export function writeRunOfStates({ states, dtype = "BF16", steps, tokens, dead = [], tensors = {}, tensorSteps = {} }: RunOfStates): string {
  const directory = writeRun({ folder: temporaryDirectory(), id: "made-up", steps: Math.max(1, steps?.at(-1) ?? states.length - 1) });
  change(join(directory, "run.json"), (manifest) => Object.assign(manifest["corpus"] as object, { dead: dead.length, deadTokens: dead }));
  if (tokens) change(join(directory, "config.json"), (config) => Object.assign(config["record"] as object, { rows: tokens }));
  rmSync(join(directory, "history.safetensors"));
  const write = (file: string, tensor: string, of: readonly StateRows[]) =>
    writeHistory(join(directory, file), tensor, {
      history: historyOf(of, dtype, tensorSteps[tensor] ?? steps),
      first: 0,
      count: of.length,
      lossOf: (step) => (step === 0 ? Number.NaN : 1),
    });
  write("history.safetensors", "embedding_history", states);
  for (const [tensor, of] of Object.entries(tensors)) write(`history.${tensor}.safetensors`, tensor, of);
  return directory;
}

/** A run with these states, opened for figures; a test closes it with `using`. */
export function runOfStates(run: RunOfStates): RunSource {
  return new RunSource(writeRunOfStates(run), { workers: 0 });
}

/** What a kind of figure shows of a run with these states. @throws {Error} why there is nothing to show. */
export async function figureOf(kind: RunFigure, states: RunOfStates): Promise<Figure> {
  using run = runOfStates(states);
  const data = await kind.read(run);
  if (isAbsent(data)) throw new Error(data.absent);
  return figureSchema.parse(kind.describe([{ label: "run", source: { name: "run", hash: "0" }, data }]));
}

/** The marks of a kind in all panels of a figure, in their order. */
export function marksOf<Kind extends Mark["mark"]>({ panels }: Figure, kind: Kind): (Mark & { mark: Kind })[] {
  return panels.flatMap(({ marks }) => marks.filter((mark): mark is Mark & { mark: Kind } => mark.mark === kind));
}

/** The lines of a figure by the names that the legend gives them: their places. */
export function linesOf(figure: Figure): Record<string, [x: readonly number[], y: readonly (number | null)[]]> {
  return Object.fromEntries(marksOf(figure, "line").map(({ series, x, y }) => [figure.series[series]?.name, [x, y]]));
}

function change(path: string, edit: (document: Record<string, unknown>) => void): void {
  const document = JSON.parse(readFileSync(path, "utf8"));
  edit(document);
  writeFileSync(path, JSON.stringify(document));
}

export function historyOf(states: readonly StateRows[], dtype: "BF16" | "F32" = "BF16", steps?: readonly number[]): History {
  const [rows = []] = states;
  return {
    source: "made up",
    dtype,
    states: states.length,
    tokens: rows.length,
    dims: rows[0]?.length ?? 0,
    rowTokens: RowTokens.all(rows.length),
    ...(steps && { steps }),
    read(first, count, target) {
      const values = Float32Array.from(states.slice(first, first + count).flat(2));
      target.set(dtype === "F32" ? new Uint8Array(values.buffer) : upperHalves(values));
    },
    close: () => undefined,
  };
}

/** A bfloat16 is the upper half of a float32. */
function upperHalves(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16).buffer);
}
