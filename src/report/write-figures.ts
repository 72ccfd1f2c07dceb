import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { BhBridgeError } from "../errors.js";
import { csvOfFigure } from "../figures/csv-of-figure.js";
import type { Figure } from "../figures/figure.js";
import { pngOfFigure } from "../figures/png-of-figure.js";
import { svgOfFigure } from "../figures/svg-of-figure.js";
import { durableWrite } from "../formats/durable-write.js";
import { packageRoot } from "../python/package-root.js";

/** The files of one figure. */
export interface WrittenFigure {
  readonly name: string;
  readonly title: string;
  /** Names in the folder: SVG, PNG, CSV, and the description. */
  readonly files: readonly string[];
}

/** A folder with this file holds figures of ours, which may be written again. */
const listName = "figures.json";

/** Draws the descriptions with matplotlib, for those who want to change what is drawn. */
const scriptName = "draw_figures.py";

/**
 * Write figures into a folder, each as SVG, PNG (twice the size), CSV of its data, and JSON of its description; and a script that draws them with matplotlib.
 *
 * @throws {BhBridgeError} `FILE_UNWRITABLE` for a folder that holds other things; `DISK_FULL`.
 */
export function writeFigures(folder: string, figures: readonly Figure[]): WrittenFigure[] {
  requireOwnFolder(folder);
  const names = fileNames(figures);
  const written = figures.map((figure, index): WrittenFigure => {
    const name = names[index] ?? figure.name;
    const files = { svg: svgOfFigure(figure), png: pngOfFigure(figure), csv: csvOfFigure(figure), json: `${JSON.stringify(figure)}\n` };
    for (const [kind, content] of Object.entries(files)) durableWrite(join(folder, `${name}.${kind}`), content);
    return { name: figure.name, title: figure.title, files: Object.keys(files).map((kind) => `${name}.${kind}`) };
  });
  durableWrite(join(folder, scriptName), readFileSync(join(packageRoot, "examples", scriptName)));
  durableWrite(join(folder, listName), `${JSON.stringify(written, null, 1)}\n`);
  return written;
}

function requireOwnFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, listName))) {
    throw new BhBridgeError("FILE_UNWRITABLE", `${resolve(folder)} holds other things than figures: name an empty folder, or one that is not there yet`);
  }
  mkdirSync(folder, { recursive: true });
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
