import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { censusOfRows } from "../analysis/census/census-of-rows.js";
import { censusShape, count, counts, figure, jsonFigures } from "../analysis/document-fields.js";
import { defaultKernels } from "../analysis/kernels/load-kernels.js";
import type { ScanOptions } from "../analysis/scan/observation.js";
import { runHere } from "../analysis/scan/run-in-parts.js";
import { binEdges, countsIn } from "../analysis/statistics/statistics.js";
import { onsetStates } from "../analysis/untrained/onset.js";
import {
  chooseThreshold,
  type Embeddings,
  farthest,
  indicatorNames,
  nearlyEqualRows,
  type RowIndicators,
  rowIndicators,
  type Threshold,
  type UnusedRows,
} from "../analysis/untrained/row-indicators.js";
import { BhBridgeError } from "../errors.js";
import { isDirectory } from "../formats/file-bytes.js";
import { outputEmbedding } from "../formats/find-tensor.js";
import { stepOfState } from "../formats/history.js";
import type { RowTokens, TokenText } from "../formats/row-tokens.js";
import { isImpossibleByte, type UnusedTokens, unusedReasons, unusedTokens } from "../formats/unused-tokens.js";
import { type OpenEmbedding, openEmbedding } from "../runs/open-embedding.js";
import { openHistory } from "../runs/open-history.js";
import { openCheckpoint } from "../runs/open-run-directory.js";
import { runFiles } from "../runs/run-layout.js";
import { readRunManifest } from "../runs/run-manifest.js";
import { groupDigits } from "../text/format.js";

const indicatorsSchema = z.strictObject(
  Object.fromEntries(indicatorNames.map((name) => [name, figure])) as Record<(typeof indicatorNames)[number], typeof figure>,
);

/** Tokens whose rows look as if they had never been trained. */
export const untrainedTokensSchema = z.strictObject({
  /** The file or directory as given. */
  source: z.string(),
  /** Names of the input and output embeddings, which are the same for a tied model. */
  tensors: z.strictObject({ input: z.string(), output: z.string() }),
  /** Training step of a history. */
  step: count.optional(),
  rows: count,
  dims: count,
  /** Tokens that are known to be unused, without those whose rows differ from the others. */
  unused: z.strictObject({ ids: counts, how: z.string() }),
  /** Rows with at most this value are candidates; null if no indicator separates the unused rows from others. */
  threshold: z.strictObject({ indicator: z.enum(indicatorNames), value: z.number(), how: z.string() }).nullable(),
  /** Strongest first, by the indicator of the threshold. */
  candidates: z.array(z.strictObject({ id: count, text: z.string().nullable(), reason: z.string(), indicators: indicatorsSchema })).readonly(),
  /** Rows by the indicator of the threshold, or by `cosine` without one; a row on an edge counts in the upper bin. */
  histogram: z.strictObject({ indicator: z.enum(indicatorNames), edges: z.array(z.number()).readonly(), unused: counts, others: counts }),
  /** For a history: the step at which each other token began to train, null for never (`onset` of `analyze`, compared with the unused tokens). */
  onset: z
    .array(z.strictObject({ id: count, step: count.nullable() }))
    .readonly()
    .optional(),
  /** Groups of equal rows of the input embedding. */
  equal: z.strictObject(censusShape),
  /** Groups of nearly equal rows among the first 1,000 candidates: within 1 % of the norm of their first token. */
  near: z.array(counts).readonly(),
  notes: z.array(z.string()).readonly(),
});
export type UntrainedTokens = z.output<typeof untrainedTokensSchema>;

/** Options of `untrainedTokens`. */
export interface UntrainedTokensOptions extends Pick<ScanOptions, "signal" | "onProgress" | "kernels"> {
  /** Name of the input embedding, which is then also the output embedding (default: both are detected by name). */
  readonly tensor?: string | undefined;
  /** Training step of a history (default: the last recorded). */
  readonly step?: number | undefined;
  /** Tokens that are known to be unused (default: found by the tokenizer, by a run's corpus, or else by their rows). */
  readonly unused?: readonly number[] | undefined;
  /** Directory of the tokenizer (default: that of the checkpoint). */
  readonly tokenizer?: string | undefined;
}

const notInText = "not in the training text";
const ownChoice = "chosen as unused";
const byRow = "row like those of unused tokens";

/** Tokens that are known to be unused, with the reason of each. */
interface KnownTokens {
  readonly reasons: ReadonlyMap<number, string>;
  /** Reasons of which each is enough. */
  readonly reliable: ReadonlySet<string>;
  readonly text: TokenText | undefined;
  readonly file?: string | undefined;
}

function knownTokens(path: string, tokens: RowTokens, { unused, tokenizer }: UntrainedTokensOptions): KnownTokens {
  const directory = tokenizer ?? (isDirectory(path) ? path : dirname(path));
  const found: UnusedTokens | undefined = unusedTokens(directory, tokens.vocabulary);
  if (tokenizer !== undefined && !found) {
    throw new BhBridgeError(
      "USAGE",
      `tokenizer: ${tokenizer} has no tokenizer.json, vocab.json with merges.txt, vocab.txt or tokenizer.model. Name a directory that has one`,
    );
  }
  const text = found?.text ?? tokens.text;
  if (unused) {
    const missing = unused.find((token) => !tokens.has(token));
    if (missing !== undefined)
      throw new BhBridgeError("USAGE", `unused: ${path} has no row of token ${missing}. Use tokens from 0 to ${tokens.vocabulary - 1}`);
    return { reasons: new Map(unused.map((token) => [token, ownChoice])), reliable: new Set([ownChoice]), text };
  }
  const reasons = new Map<number, string>(found?.reasons);
  if (existsSync(join(path, runFiles.manifest)))
    for (const token of readRunManifest(path).corpus.deadTokens) reasons.set(token, reasons.get(token) ?? notInText);
  const isBytes = !found && tokens.text !== undefined && tokens.vocabulary <= 256;
  if (isBytes) for (let byte = 0; byte < tokens.vocabulary; byte++) if (isImpossibleByte(byte)) reasons.set(byte, unusedReasons[1]);
  return { reasons, reliable: new Set([notInText, ...unusedReasons.slice(0, -1)]), text, file: found?.file };
}

/** Unused rows from which the others are judged, at least. */
const fewestReliable = 8;
/** Part of the rows that the fallback takes for unused. */
const fallbackShare = 0.01;

function unusedRows(
  { reasons, reliable }: KnownTokens,
  tokens: RowTokens,
  norms: Float64Array,
  equalRows: readonly number[],
): UnusedRows & { fallback?: string } {
  const rowsOf = (of: readonly number[]) => tokens.rowsOf(of.filter((token) => tokens.has(token))).filter((row) => Number.isFinite(norms[row]));
  const rows = rowsOf([...reasons.keys()]);
  const sure = rowsOf([...reasons].flatMap(([token, reason]) => (reliable.has(reason) ? [token] : [])));
  if (rows.length > 0) return { rows, reliable: sure.length >= Math.min(fewestReliable, rows.length) ? sure : rows, isChosen: reliable.has(ownChoice) };
  if (equalRows.length > 0) return { rows: equalRows, reliable: equalRows, fallback: "the rows of the largest black hole" };
  const order = Array.from(norms.keys())
    .filter((row) => Number.isFinite(norms[row]))
    .sort((a, b) => (norms[a] ?? 0) - (norms[b] ?? 0));
  const smallest = order.slice(0, Math.max(fewestReliable, Math.round(order.length * fallbackShare)));
  return { rows: smallest, reliable: smallest, fallback: `the ${groupDigits(smallest.length)} rows with the smallest norms` };
}

function howFound(
  { reasons, file }: KnownTokens,
  { fallback, rows }: UnusedRows & { fallback?: string },
  reference: readonly number[],
  tokens: RowTokens,
): string {
  const excluded = rows.length - reference.length;
  const far =
    excluded === 0
      ? ""
      : `; ${groupDigits(excluded)} of them are excluded, because their rows are more than ${farthest} median distances from the centre of the others`;
  if (fallback !== undefined) return `nothing is known of the tokens, so ${fallback} are taken for unused${far}`;
  const byReason = new Map<string, number>();
  for (const row of rows) {
    const reason = reasons.get(tokens.ofRow(row)) ?? "";
    byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  }
  const parts = [...byReason].map(([reason, number]) => `${groupDigits(number)} ${reason}`);
  return `${parts.join(", ")}${file === undefined ? "" : ` (${file})`}${far}`;
}

/**
 * Find the tokens of a model that never trained, by the indicators of Land and Bartolo (arXiv 2405.05417), without Python and in memory that does not grow with
 * the embedding.
 * @param path anything that `openCheckpoint` supports, with a matrix `[tokens, dims]` or a history.
 * @throws {BhBridgeError} `USAGE` for an unused token without a row, or a directory without a tokenizer; `ABORTED`; as `openEmbedding`.
 */
export async function untrainedTokens(path: string, options: UntrainedTokensOptions = {}): Promise<UntrainedTokens> {
  const { tensor, step } = options;
  const input = await openEmbedding(path, { tensor, step });
  const outputName = tensor === undefined ? await nameOfOutput(path, input.shape, input.step, step) : undefined;
  const output = outputName === undefined ? input : await openEmbedding(path, { tensor: outputName });
  try {
    const { rows, shape } = input;
    const kernels = options.kernels ?? defaultKernels();
    const known = knownTokens(path, rows.rowTokens, options);
    const equal = await censusOfRows(rows, undefined, options);
    const [largest = []] = equal.members;
    const embeddings: Embeddings = { input: rows, output: output.rows };
    let found: (UnusedRows & { fallback?: string }) | undefined;
    const find = (norms: Float64Array) => (found = unusedRows(known, rows.rowTokens, norms, rows.rowTokens.rowsOf(largest)));
    const indicators = await runHere(rowIndicators(embeddings, find, kernels), shape[0], options);
    const threshold = chooseThreshold(indicators) ?? null;
    const candidates = threshold ? candidatesOf(indicators, threshold, known, rows.rowTokens) : [];
    const compared = rows.rowTokens.rowsOf(candidates.slice(0, maxCompared).map(({ id }) => id));
    return {
      source: path,
      tensors: { input: input.tensor, output: output.tensor },
      ...(input.step !== undefined && { step: input.step }),
      rows: shape[0],
      dims: shape[1],
      unused: {
        ids: rows.rowTokens.ofRows(indicators.reference),
        how: howFound(known, found ?? { rows: [], reliable: [] }, indicators.reference, rows.rowTokens),
      },
      threshold,
      candidates,
      histogram: histogramOf(indicators, threshold?.indicator ?? "cosine"),
      ...(input.history && step === undefined && { onset: await onsetOf(path, input, indicators.reference, options) }),
      equal,
      near: nearlyEqualRows(rows, compared).map((group) => rows.rowTokens.ofRows(group)),
      notes: notesOf(indicators),
    };
  } finally {
    if (output !== input) output.close();
    input.close();
  }
}

function candidatesOf(
  indicators: RowIndicators,
  { indicator, value }: Threshold,
  { reasons, text }: KnownTokens,
  tokens: RowTokens,
): UntrainedTokens["candidates"] {
  const values = indicators.all[indicator];
  const below = Array.from(values.keys()).filter((row) => (values[row] ?? Number.NaN) <= value);
  return below
    .sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b)
    .map((row) => {
      const id = tokens.ofRow(row);
      return { id, text: text?.(id) ?? null, reason: reasons.get(id) ?? byRow, indicators: jsonFigures(indicators.of(row)) };
    });
}

const bins = 48;
const maxCompared = 1000;

function histogramOf({ all, reference }: RowIndicators, indicator: (typeof indicatorNames)[number]): UntrainedTokens["histogram"] {
  const isUnused = new Set(reference);
  const [unused, others] = [true, false].map((wanted) =>
    [...all[indicator]].filter((value, row) => isUnused.has(row) === wanted && Number.isFinite(value)),
  ) as [number[], number[]];
  const edges = binEdges([...unused, ...others], bins, "linear");
  return { indicator, edges, unused: countsIn(unused, edges), others: countsIn(others, edges) };
}

async function onsetOf(path: string, { tensor, rows: { rowTokens } }: OpenEmbedding, reference: readonly number[], { signal }: UntrainedTokensOptions) {
  const history = await openHistory(path, tensor);
  try {
    const states = await runHere(onsetStates(history, reference), history.states, { signal });
    const isUnused = new Set(reference);
    return [...states.keys()]
      .filter((row) => !isUnused.has(row))
      .map((row) => ({ id: rowTokens.ofRow(row), step: states[row] ? stepOfState(history, states[row]) : null }));
  } finally {
    history.close();
  }
}

/** Largest error of the principal axis without a note, in radians. */
const axisTolerance = 1e-6;

function notesOf({ principal: { error, passes }, all: { norm } }: RowIndicators): string[] {
  const damaged = norm.reduce((total, value) => total + Number(!Number.isFinite(value)), 0);
  return [
    ...(error > axisTolerance
      ? [
          `cosineWithoutPc1 is approximate: after ${passes} passes the first principal component is known to ${error.toPrecision(2)} radians, because the second one is nearly as large`,
        ]
      : []),
    ...(damaged > 0 ? [`${groupDigits(damaged)} rows have NaN or infinity and are not judged`] : []),
  ];
}

/** The name of the output embedding, undefined if it is the input embedding; a run has it only after its last step. */
async function nameOfOutput(
  path: string,
  shape: readonly [number, number],
  found: number | undefined,
  wanted: number | undefined,
): Promise<string | undefined> {
  await using checkpoint = await openCheckpoint(path);
  const { config } = checkpoint.metadata;
  const isTied = typeof config === "object" && config !== null && "tie_word_embeddings" in config && config["tie_word_embeddings"] === true;
  return isTied || (found !== undefined && wanted !== undefined) ? undefined : outputEmbedding(checkpoint.tensors, shape)?.name;
}
