import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BhBridgeError } from "../../src/errors.js";
import type { TensorFile } from "../../src/formats/safetensors/safetensors.js";
import { isDtype, readMatrix } from "../../src/formats/stored-tensor.js";
import { Random } from "./random.js";
import { type FuzzedKind, Reference, type Tensors, writeSeeds } from "./reference.js";

/** What the fuzzer does with one kind of file. */
export interface Target {
  readonly kind: FuzzedKind;
  readonly extension: string;
  readonly mutators: readonly ((bytes: Uint8Array, random: Random) => Buffer)[];
  readonly open: (path: string) => TensorFile;
}

/** What came out of a fuzzing. */
export interface Outcome {
  readonly runs: number;
  /** Files that were read, to the reference library's answer. */
  readonly agreed: number;
  /** Files that were refused with a typed error, and of them those that the reference library reads. */
  readonly refused: number;
  readonly refusedAlone: number;
  /** Files that were read here and took the reference library's process down, or its memory. */
  readonly unanswered: number;
  readonly violations: readonly string[];
  readonly slowestMs: number;
  readonly memoryGrowthMb: number;
}

/** No small file may take longer; the slowest that is right takes some milliseconds. */
const maxCaseMs = 2000;
/** Where the case that is read now is told, so that one that does not end can be named. */
const positionFile = process.env["BH_BRIDGE_FUZZ_POSITION"];
/** What the evil seed would make if anything executed it. */
const executionMark = "fuzzed-pickle-was-executed";
const refusals: readonly string[] = ["FORMAT_INVALID", "FORMAT_UNSUPPORTED"];
/** When so many things went wrong, the rest adds nothing. */
const maxViolations = 20;

type Reading = { tensors: Tensors } | { refusal: string };

/**
 * Mutate sound files `runs` times and demand of each: a typed error, or the same tensors as the reference library.
 *
 * @param seed the run's number i is made from `seed` and i alone, so that it can be made again.
 */
export async function fuzz(target: Target, directory: string, runs: number, seed: number, first = 0): Promise<Outcome> {
  writeSeeds(directory);
  const seeds = readdirSync(directory)
    .filter((name) => name.endsWith(target.extension))
    .sort()
    .map((name) => readFileSync(join(directory, name)));
  const path = join(directory, `case${target.extension}`);
  using reference = new Reference();
  const memoryBefore = process.resourceUsage().maxRSS;
  const counts = { agreed: 0, refused: 0, refusedAlone: 0, unanswered: 0 };
  const violations: string[] = [];
  let slowestMs = 0;
  for (let index = first; index < first + runs && violations.length < maxViolations; index++) {
    const random = new Random(seed * 1_000_003 + index);
    const bytes = random.pick(target.mutators)(random.pick(seeds), random);
    writeFileSync(path, bytes);
    tellPosition(target.kind, index);
    const start = performance.now();
    const reading = readCase(target, path);
    const elapsedMs = performance.now() - start;
    slowestMs = Math.max(slowestMs, elapsedMs);
    const problem = await judge(reading, target, bytes, reference, counts);
    const late = elapsedMs > maxCaseMs ? `took ${Math.round(elapsedMs)} ms` : undefined;
    if (problem ?? late) violations.push(`seed ${seed}, case ${index}: ${problem ?? late}`);
  }
  if (existsSync(executionMark)) violations.push("a pickle was executed");
  const memoryGrowthMb = (process.resourceUsage().maxRSS - memoryBefore) / 1024;
  return { runs, ...counts, violations, slowestMs, memoryGrowthMb };
}

/** Tell which case is read now. */
export function tellPosition(kind: string, index: number): void {
  if (positionFile) writeFileSync(positionFile, `${kind}, case ${index}`);
}

function readCase(target: Target, path: string): Reading | { crash: string } {
  try {
    const file = target.open(path);
    try {
      return { tensors: Object.fromEntries(file.tensors.map((tensor) => [tensor.name, describe(tensor)])) };
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof BhBridgeError && refusals.includes(error.code)) return { refusal: `${error.code}: ${error.message}` };
    return { crash: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function describe(tensor: Parameters<typeof readMatrix>[0]): Tensors[string] {
  const digest = isDtype(tensor.dtype) ? createHash("sha256").update(readMatrix(tensor).bytes).digest("hex") : "";
  return [tensor.dtype, tensor.shape, digest];
}

type Counts = { agreed: number; refused: number; refusedAlone: number; unanswered: number };

/** Count a case; what is wrong with it, when something is. */
async function judge(reading: Reading | { crash: string }, { kind }: Target, bytes: Buffer, reference: Reference, counts: Counts): Promise<string | undefined> {
  if ("crash" in reading) return `an untyped error: ${reading.crash}`;
  const answer = await reference.ask(kind, bytes);
  if ("refusal" in reading) {
    counts.refused++;
    if ("tensors" in answer) counts.refusedAlone++;
    return undefined;
  }
  if ("tensors" in answer) {
    if (!agree(reading.tensors, answer.tensors)) return `read ${JSON.stringify(reading.tensors)}, the reference ${JSON.stringify(answer.tensors)}`;
    counts.agreed++;
    return undefined;
  }
  if ("crashed" in answer || answer.error.startsWith("MemoryError")) {
    counts.unanswered++;
    return undefined;
  }
  return `read what the reference refuses with ${JSON.stringify(answer)}: ${JSON.stringify(reading.tensors)}`;
}

/** Tensors of dtypes that are only listed here are compared by name and shape. */
function agree(ours: Tensors, theirs: Tensors): boolean {
  const names = Object.keys(theirs);
  return (
    names.length === Object.keys(ours).length &&
    names.every((name) => {
      const [dtype, shape, digest] = Object.hasOwn(ours, name) ? (ours[name] ?? []) : [];
      const [otherDtype, otherShape, otherDigest] = theirs[name] ?? [];
      return `${shape}` === `${otherShape}` && (digest === "" || (dtype === otherDtype && digest === otherDigest));
    })
  );
}
