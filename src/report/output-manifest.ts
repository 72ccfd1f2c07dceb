import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { durableWrite } from "../formats/durable-write.js";
import { sha256OfFile } from "../runs/checksums.js";

/** The checksums of the files that reports have written into a folder: they prove which files may be replaced. */
const outputManifestName = "MANIFEST.json";

const writtenBy = "bh-bridge report";
const manifestSchema = z.strictObject({
  format: z.literal(1),
  written_by: z.literal(writtenBy),
  files: z.record(z.string(), z.strictObject({ size: z.int().nonnegative(), sha256: z.string() })),
});
type Files = z.output<typeof manifestSchema>["files"];

/** What macOS leaves in every folder that was looked at. */
const finderFile = ".DS_Store";

/**
 * See that a folder may take files of these names: it is absent or empty, or a report has written each of them that is there, and nobody has changed it since.
 *
 * @throws {BhBridgeError} `FILE_UNWRITABLE` naming the file that would be lost.
 */
export function requireReplaceable(folder: string, names: readonly string[]): void {
  const found = namesIn(folder);
  const [first] = found;
  if (first === undefined) return;
  const files = filesOf(folder);
  if (files === undefined) {
    throw refusal(folder, `holds ${first} and no ${outputManifestName} of a report`);
  }
  for (const name of names.filter((each) => found.includes(each) && each !== outputManifestName)) {
    const written = files[name];
    if (written === undefined) throw refusal(folder, `holds ${name}, which no report has written`);
    const path = join(folder, name);
    const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: -1 };
    if (size !== written.size || sha256OfFile(path) !== written.sha256) throw refusal(folder, `holds ${name}, which was changed since a report wrote it`);
  }
}

/** Write files into a folder, then their checksums beside them; those of earlier files stay. */
export function writeWithManifest(folder: string, contents: ReadonlyMap<string, string | Uint8Array>): void {
  const earlier = filesOf(folder) ?? {};
  const files: Files = { ...earlier };
  for (const [name, content] of contents) {
    durableWrite(join(folder, name), content);
    files[name] = { size: Buffer.byteLength(content), sha256: createHash("sha256").update(content).digest("hex") };
  }
  durableWrite(join(folder, outputManifestName), `${JSON.stringify({ format: 1, written_by: writtenBy, files }, null, 1)}\n`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name !== finderFile)
      .sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new BhBridgeError("FILE_UNWRITABLE", `${resolve(folder)} is not a folder that can be read: name another one`, { cause });
  }
}

function filesOf(folder: string): Files | undefined {
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(join(folder, outputManifestName), "utf8"))).files;
  } catch {
    return undefined; // there is none, or it is not ours
  }
}

function refusal(folder: string, problem: string): BhBridgeError {
  return new BhBridgeError(
    "FILE_UNWRITABLE",
    `${resolve(folder)} ${problem}, and nothing is replaced: name an empty or a new folder, or replace files of the same names with --force`,
  );
}
