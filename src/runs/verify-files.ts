import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { readWhole } from "../formats/file-bytes.js";
import { sha256OfFile } from "./checksums.js";
import { isThere, requireFolder, requireRegular } from "./file-types.js";
import { modelManifestFile } from "./run-layout.js";

const manifestFormat = 1;
/** Some hundred bytes for each file of a model, of which the largest have about 200. */
const mostManifestBytes = 16 * 2 ** 20;

const manifestSchema = z.looseObject({
  format: z.int(),
  files: z.record(z.string(), z.strictObject({ size: z.int().nonnegative(), sha256: z.string() })),
});

/** What is wrong with a directory that carries a MANIFEST.json (a checkpoint, the final model): every size and SHA-256 is checked. */
export function verifyFiles(directory: string): string[] {
  const folderProblem = refusalOf(() => requireFolder(directory));
  if (folderProblem !== undefined) return [folderProblem];
  const path = join(directory, modelManifestFile);
  if (!isThere(path)) return [`${path} is missing`];
  const parsed = parseManifest(path);
  if (!parsed.success) return [`${path} is damaged: ${parsed.error.message}`];
  const { format, files } = parsed.data;
  if (format > manifestFormat) return [`${path} has format ${format}, this bh-bridge reads up to ${manifestFormat}: install a newer one`];
  const problems: string[] = [];
  for (const [name, { size, sha256 }] of Object.entries(files)) {
    const file = join(directory, name);
    const problem = problemOf(file, size, sha256);
    if (problem !== undefined) problems.push(problem);
  }
  const known = new Set([...Object.keys(files), modelManifestFile]);
  return [...problems, ...readdirSync(directory).flatMap((name) => (known.has(name) ? [] : [`${join(directory, name)} is not in the manifest`]))];
}

function problemOf(file: string, size: number, sha256: string): string | undefined {
  if (!isThere(file)) return `${file} is missing`;
  return problemIn(() => {
    requireRegular(file);
    const found = statSync(file).size;
    if (found !== size) return `${file} has ${found} bytes, its manifest says ${size}`;
    return sha256OfFile(file) === sha256 ? undefined : `${file} is damaged: its SHA-256 is not the manifest's`;
  });
}

/** What an operation is refused for, in words; nothing when it succeeds. */
export function refusalOf(operation: () => void): string | undefined {
  return problemIn(() => {
    operation();
    return undefined;
  });
}

/** What a check says, or the error that it ended with. */
export function problemIn(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (error) {
    if (error instanceof BhBridgeError) return error.message;
    throw error;
  }
}

/** The SHA-256 of each file of such a directory, as its manifest has them; nothing where there is no sound manifest. */
export function manifestSums(directory: string): Map<string, string> {
  const path = join(directory, modelManifestFile);
  const parsed = existsSync(path) ? parseManifest(path) : undefined;
  return new Map(parsed?.success ? Object.entries(parsed.data.files).map(([name, { sha256 }]) => [name, sha256]) : []);
}

function parseManifest(path: string) {
  try {
    requireRegular(path);
    return manifestSchema.safeParse(JSON.parse(readWhole(path, mostManifestBytes).toString("utf8")));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof BhBridgeError)) throw error;
    return { success: false as const, error };
  }
}
