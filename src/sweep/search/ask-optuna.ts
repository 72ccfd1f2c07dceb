import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { JsonValue } from "../../config/json-value.js";
import { BhBridgeError } from "../../errors.js";
import { runPythonScript } from "../../python/run-python-script.js";
import { temporaryFolder } from "../../runner/temporary-folder.js";
import type { SearchSpec } from "./search-schema.js";

/** A point that has been trained, and what came out; null for one that failed. */
export interface ToldPoint {
  values: Readonly<Record<string, JsonValue>>;
  value: number | null;
}

const answerSchema = z.union([z.strictObject({ asked: z.array(z.record(z.string(), z.number())) }), z.strictObject({ missing: z.string() })]);

/** Optuna is imported in a second; a thousand points are told in some more. */
const timeoutMs = 300_000;
/** As numbers that are drawn: enough to be different, few enough to be read. */
const digits = 6;

/**
 * Ask Optuna for points, by all that was trained before. It keeps nothing: the same points with the same results are answered by the same.
 *
 * @throws {BhBridgeError} `PYTHON_DEPENDENCY_MISSING` with the command that installs Optuna; `ABORTED`.
 */
export async function askOptuna(
  interpreter: string,
  { over, seed, minimize }: SearchSpec,
  told: readonly ToldPoint[],
  count: number,
  signal?: AbortSignal,
): Promise<Record<string, JsonValue>[]> {
  const coded = told.map(({ values, value }) => ({
    value,
    codes: Object.fromEntries(Object.entries(over).map(([path, draw]) => [path, codeOf(draw, values[path])])),
  }));
  using folder = temporaryFolder("search");
  const path = join(folder.path, "request.json");
  writeFileSync(path, JSON.stringify({ over, seed, direction: minimize === undefined ? "maximize" : "minimize", told: coded, count }));
  const answer = answerSchema.parse(await runPythonScript(interpreter, { file: "scripts/ask_optuna.py", args: [path], timeoutMs, signal }));
  if ("missing" in answer) {
    const install = `${interpreter} -m pip install ${JSON.stringify("optuna>=4")}`;
    throw new BhBridgeError("PYTHON_DEPENDENCY_MISSING", `a search needs Optuna (${answer.missing}). Install it with: ${install}`);
  }
  return answer.asked.map((codes) => Object.fromEntries(Object.entries(over).map(([field, draw]) => [field, decoded(draw, codes[field] ?? 0)])));
}

type Draw = SearchSpec["over"][string];

/** Optuna knows numbers: a value of a list is its place there. */
function codeOf(draw: Draw, value: JsonValue | undefined): number {
  return Array.isArray(draw) ? draw.findIndex((each) => isDeepStrictEqual(each, value)) : Number(value);
}

function decoded(draw: Draw, code: number): JsonValue {
  if (Array.isArray(draw)) return draw[code] ?? null;
  return "int" in draw ? code : Number(code.toPrecision(digits));
}
