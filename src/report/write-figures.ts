import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { csvOfFigure } from "../figures/csv-of-figure.js";
import type { Figure } from "../figures/figure.js";
import { pngOfFigure, svgOfFigure } from "../figures/svg-of-figure.js";
import { durableWrite, writeError } from "../formats/durable-write.js";
import { packageRoot } from "../python/package-manifest.js";
import { sha256OfFile } from "../runs/checksums.js";

/** The checksums of the files that reports have written into a folder, which prove that they may be replaced. */
const outputManifestName = "MANIFEST.json";

const writtenBy = "bh-bridge report";
const manifestSchema = z.strictObject({
  format: z.literal(1),
  written_by: z.literal(writtenBy),
  files: z.record(z.string(), z.strictObject({ size: z.int().nonnegative(), sha256: z.string() })),
});
type Files = z.output<typeof manifestSchema>["files"];

/** Created by macOS in every opened folder. */
const finderFile = ".DS_Store";

/**
 * Check that writing files into a folder replaces only files that a report has written and that were not changed since.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` naming the file that would be lost.
 */
export function requireReplaceable(folder: string, names: readonly string[]): void {
  const found = namesIn(folder);
  const [first] = found;
  if (first === undefined) return;
  const files = filesOf(folder);
  if (files === undefined) throw refusal(folder, `holds ${first} and no ${outputManifestName} of a report`);
  for (const name of names.filter((each) => found.includes(each) && each !== outputManifestName)) {
    const written = files[name];
    if (written === undefined) throw refusal(folder, `holds ${name}, which no report has written`);
    const path = join(folder, name);
    const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: -1 };
    if (size !== written.size || sha256OfFile(path) !== written.sha256) throw refusal(folder, `holds ${name}, which was changed since a report wrote it`);
  }
}

/** Write files into a folder, then their checksums; those of earlier files stay. */
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
    return undefined; // missing or not ours
  }
}

function refusal(folder: string, problem: string): BhBridgeError {
  const remedy = "name an empty or a new folder, or replace files of the same names with --force";
  return new BhBridgeError("FILE_UNWRITABLE", `${resolve(folder)} ${problem}, and nothing is replaced: ${remedy}`);
}

export interface WrittenFigure {
  readonly name: string;
  readonly title: string;
  /** Names in the folder: SVG, PNG, CSV, and the description. */
  readonly files: readonly string[];
}

const listName = "figures.json";
const scriptName = "draw_figures.py";

/**
 * Write figures into a folder, each as SVG, PNG (twice the size), CSV of its data, and JSON of its description, with a script that draws them with matplotlib.
 * A manifest of their checksums lets a later report replace them.
 * @param force whether to replace files of the same names that no report has written.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` as `requireReplaceable`; `DISK_FULL`.
 */
export function writeFigures(folder: string, figures: readonly Figure[], { force = false }: { force?: boolean } = {}): WrittenFigure[] {
  const names = fileNames(figures);
  const contents = new Map<string, string | Uint8Array>();
  const written = figures.map((figure, index): WrittenFigure => {
    const name = names[index] ?? figure.name;
    const files = { svg: svgOfFigure(figure), png: pngOfFigure(figure), csv: csvOfFigure(figure), json: `${JSON.stringify(figure)}\n` };
    for (const [kind, content] of Object.entries(files)) contents.set(`${name}.${kind}`, content);
    return { name: figure.name, title: figure.title, files: Object.keys(files).map((kind) => `${name}.${kind}`) };
  });
  contents.set(scriptName, readFileSync(join(packageRoot, "examples", scriptName)));
  contents.set(listName, `${JSON.stringify(written, null, 1)}\n`);
  if (!force) requireReplaceable(folder, [...contents.keys()]);
  makeFolder(folder);
  writeWithManifest(folder, contents);
  return written;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw writeError(folder, cause);
  }
}

/** Distinct file names for figures: the second `populations` becomes `populations-2`. */
function fileNames(figures: readonly Figure[]): string[] {
  const seen = new Map<string, number>();
  return figures.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}
