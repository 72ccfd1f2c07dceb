import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const packageSchema = z.object({ version: z.string() });

/**
 * What Node's side of a run was: its version, the machine, the version of every package that ours depends on. Python writes its own beside it.
 *
 * @param dependencies names of the packages.
 */
export function nodeEnvironment(dependencies: readonly string[]) {
  const [processor] = cpus();
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    processor: processor?.model ?? null,
    cores: cpus().length,
    memoryBytes: totalmem(),
    packages: Object.fromEntries(dependencies.map((name) => [name, installedVersion(name)])),
  };
}

/** The version of an installed package; null when it cannot be found, which concerns no run. */
function installedVersion(name: string): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return packageSchema.parse(JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8"))).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") return null;
    }
  }
  return null;
}
