import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { csvOfFigure } from "../figures/csv-of-figure.js";
import type { Figure } from "../figures/figure.js";
import { pngOfFigure, svgOfFigure } from "../figures/svg-of-figure.js";
import { writeError } from "../formats/durable-write.js";
import { packageRoot } from "../python/package-root.js";
import { requireReplaceable, writeWithManifest } from "./output-manifest.js";

/** The files of one figure. */
export interface WrittenFigure {
  readonly name: string;
  readonly title: string;
  /** Names in the folder: SVG, PNG, CSV, and the description. */
  readonly files: readonly string[];
}

/** The list of the figures in a folder. */
const listName = "figures.json";

/** Draws the descriptions with matplotlib, for those who want to change what is drawn. */
const scriptName = "draw_figures.py";

/**
 * Write figures into a folder, each as SVG, PNG (twice the size), CSV of its data, and JSON of its description; and a script that draws them with matplotlib.
 * A manifest of their checksums lets a later report replace them.
 *
 * @param force replace files of the same names, whoever wrote them.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` naming a file that no report has written or that was changed since; `DISK_FULL`.
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

/** Figures of several runs may have one name: the second is called `populations-2`. */
function fileNames(figures: readonly Figure[]): string[] {
  const seen = new Map<string, number>();
  return figures.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}
