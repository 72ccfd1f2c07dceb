import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { packageRoot } from "./package-root.js";

const manifestSchema = z.object({
  version: z.string(),
  engines: z.object({ node: z.string() }),
  dependencies: z.record(z.string(), z.string()),
});

/** What this package's own package.json says of it. */
type PackageManifest = z.infer<typeof manifestSchema>;

/** Read this package's package.json, the one place for its version, the Node.js it needs and its dependencies. */
export function packageManifest(): PackageManifest {
  return manifestSchema.parse(JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")));
}
