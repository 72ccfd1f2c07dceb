import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const program = readFileSync(new URL("./oracle.py", import.meta.url), "utf8");

/** Cases that Python made, and what it expects of them. */
export interface OracleCases<Expected> {
  readonly cases: readonly Expected[];
  /** The file of a case. */
  file(index: number): string;
}

/** Let Python make cases in a directory that is removed after the tests of the calling file. */
export function oracleCases<Expected>(kind: "histories" | "displacements" | "masses", seed: number, count: number): OracleCases<Expected> {
  const directory = temporaryDirectory();
  const cases = expectedFrom<Expected[]>(program, kind, directory, String(seed), String(count));
  return { cases, file: (index) => join(directory, `${index}.safetensors`) };
}
