import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { sha256OfFile } from "./checksums.js";
import { modelManifestFile } from "./run-layout.js";

const manifestFormat = 1;

const manifestSchema = z.looseObject({
  format: z.int(),
  files: z.record(z.string(), z.strictObject({ size: z.int().nonnegative(), sha256: z.string() })),
});

/** What is wrong with a directory that carries a MANIFEST.json (a checkpoint, the final model): every size and SHA-256 is checked. */
export function verifyFiles(directory: string): string[] {
  const path = join(directory, modelManifestFile);
  if (!existsSync(path)) return [`${path} is missing`];
  const parsed = parseManifest(path);
  if (!parsed.success) return [`${path} is damaged: ${parsed.error.message}`];
  const { format, files } = parsed.data;
  if (format > manifestFormat) return [`${path} has format ${format}, this bh-bridge reads up to ${manifestFormat}: install a newer one`];
  const problems: string[] = [];
  for (const [name, { size, sha256 }] of Object.entries(files)) {
    const file = join(directory, name);
    if (!existsSync(file)) problems.push(`${file} is missing`);
    else if (statSync(file).size !== size) problems.push(`${file} has ${statSync(file).size} bytes, its manifest says ${size}`);
    else if (sha256OfFile(file) !== sha256) problems.push(`${file} is damaged: its SHA-256 is not the manifest's`);
  }
  const known = new Set([...Object.keys(files), modelManifestFile]);
  return [...problems, ...readdirSync(directory).flatMap((name) => (known.has(name) ? [] : [`${join(directory, name)} is not in the manifest`]))];
}

/** The SHA-256 of each file of such a directory, as its manifest has them; nothing where there is no sound manifest. */
export function manifestSums(directory: string): Map<string, string> {
  const path = join(directory, modelManifestFile);
  const parsed = existsSync(path) ? parseManifest(path) : undefined;
  return new Map(parsed?.success ? Object.entries(parsed.data.files).map(([name, { sha256 }]) => [name, sha256]) : []);
}

function parseManifest(path: string) {
  try {
    return manifestSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { success: false as const, error };
  }
}
