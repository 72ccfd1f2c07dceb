import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";

/** The folder of this package's package.json, with a trailing slash. */
export const packageRoot: string = fileURLToPath(new URL("../../", import.meta.url));

const manifestSchema = z.object({
  version: z.string(),
  engines: z.object({ node: z.string() }),
  dependencies: z.record(z.string(), z.string()),
});

/** Read this package's package.json, the only source of its version, the Node.js it requires and its dependencies. */
export function packageManifest(): z.infer<typeof manifestSchema> {
  return manifestSchema.parse(JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")));
}

/** Numbers of a release: `2.13.0+cpu` → [2, 13, 0]. A build or pre-release suffix is ignored. */
function releaseOf(version: string): number[] {
  return (/^\d+(\.\d+)*/.exec(version)?.[0] ?? "").split(".").map(Number);
}

/** Negative, zero or positive as `left` is older than, equal to or newer than `right`; missing numbers count as 0. */
function compareReleases(left: string, right: string): number {
  const a = releaseOf(left);
  const b = releaseOf(right);
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Whether a Python package's version satisfies a range such as `>=5.4,<5.25`.
 *
 * Only release numbers are compared, so a nightly build or a release candidate counts as its release.
 * @throws {BhBridgeError} `INTERNAL` for an operator that `pyproject.toml` does not use (`~=`, `===`, wildcards).
 */
export function versionSatisfies(version: string, range: string): boolean {
  return range
    .split(",")
    .filter((clause) => clause.trim() !== "")
    .every((clause) => {
      const [, operator = "", limit = ""] = /^\s*([<>=!~]+)\s*(\d+(?:\.\d+)*)\s*$/.exec(clause) ?? [];
      const order = compareReleases(version, limit);
      const results: Readonly<Record<string, boolean>> = {
        ">=": order >= 0,
        ">": order > 0,
        "<=": order <= 0,
        "<": order < 0,
        "==": order === 0,
        "!=": order !== 0,
      };
      const result = results[operator];
      if (result === undefined) throw new BhBridgeError("INTERNAL", `the version range "${range}" has a clause that is not supported: "${clause}"`);
      return result;
    });
}
