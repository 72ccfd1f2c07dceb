import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { RunConfig } from "../../../config/run-config-schema.js";
import { indexPathOf } from "../../../runs/run-layout.js";
import { contentHash, filesOf, type SentFile } from "../../pool/sent-files.js";
import type { PackedFile } from "./worker-package.js";

/** What travels with a job lies in the memory of the head node meanwhile. */
const mostBytes = 256 << 20;

/**
 * What configurations name by path beside their text: weights, initial states, tokenizers. What can travel with a job does, by its content; what cannot has to
 * be seen by the nodes.
 *
 * @returns the files to send, and what the nodes are told of each path.
 */
export function namedFiles(configs: readonly RunConfig[]): { packed: PackedFile[]; files: Record<string, SentFile> } {
  const packed = new Map<string, PackedFile>();
  const files: Record<string, SentFile> = {};
  let left = mostBytes;
  for (const path of new Set(configs.flatMap(pathsOf))) {
    if (!existsSync(path)) continue; // the trial says so, wherever it is trained
    const own = filesOf(path);
    const bytes = own.reduce((sum, file) => sum + statSync(file.path).size, 0);
    const whyNot = reasonToStay(path, bytes, left);
    if (whyNot !== undefined) {
      files[path] = { whyNot };
      continue;
    }
    left -= bytes;
    const sha256 = contentHash(path);
    const name = `files/${sha256}`;
    files[path] = { name, sha256 };
    for (const file of [...own, ...besideIt(path)]) {
      const packedName = join(name, basename(path), file.name);
      packed.set(packedName, { path: file.path, name: packedName });
    }
  }
  return { packed: [...packed.values()], files };
}

function pathsOf({ model, init, data }: RunConfig): string[] {
  return [model.from, init.kind === "file" ? init.path : null, data.tokenizer].filter((path) => path !== null);
}

function reasonToStay(path: string, bytes: number, left: number): string | undefined {
  if (path.endsWith(".index.json")) return "it is an index, whose parts lie beside it";
  const megabytes = (value: number) => `${Math.ceil(value / 2 ** 20)} MiB`;
  if (bytes > left) return `it has ${megabytes(bytes)}, and what configurations name may have ${megabytes(mostBytes)} in all`;
  return undefined;
}

/** A history is read with its index, where it has one. */
function besideIt(path: string): { path: string; name: string }[] {
  const index = indexPathOf(path);
  return index !== path && existsSync(index) && statSync(path).isFile() ? [{ path: index, name: join("..", basename(index)) }] : [];
}
