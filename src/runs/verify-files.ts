import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";

const manifestFileName = "MANIFEST.json";
const manifestFormat = 1;

const manifestSchema = z.looseObject({
  format: z.int(),
  files: z.record(z.string(), z.strictObject({ size: z.int().nonnegative(), sha256: z.string() })),
});

/** What is wrong with a directory that carries a MANIFEST.json (a checkpoint, the final model): every size and SHA-256 is checked. */
export async function verifyFiles(directory: string): Promise<string[]> {
  const path = join(directory, manifestFileName);
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
    else if ((await sha256Of(file)) !== sha256) problems.push(`${file} is damaged: its SHA-256 is not the manifest's`);
  }
  const known = new Set([...Object.keys(files), manifestFileName]);
  return [...problems, ...readdirSync(directory).flatMap((name) => (known.has(name) ? [] : [`${join(directory, name)} is not in the manifest`]))];
}

function parseManifest(path: string) {
  try {
    return manifestSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { success: false as const, error };
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
