import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { z } from "zod";
import { packageRoot } from "./package-root.js";

/** What `pyproject.toml` asks of an interpreter. */
interface PythonRequirements {
  /** The range of Python itself, for example `>=3.11`. */
  python: string;
  /** Package name → range, for example `transformers` → `>=5.4,<5.25`; in the file's order. */
  packages: ReadonlyMap<string, string>;
  /** The same for the tools of the `dev` extra, which only a checkout needs. */
  devPackages: ReadonlyMap<string, string>;
}

const requirementPattern = /^([A-Za-z0-9._-]+)\s*(.*)$/;

const requirementSchema = z.string().transform((text, context): [string, string] => {
  const [, name, range] = requirementPattern.exec(text) ?? [];
  if (name !== undefined && range !== undefined) return [name, range];
  context.addIssue({ code: "custom", message: `"${text}" is not a requirement such as "torch>=2.7"` });
  return z.NEVER;
});

const pyprojectSchema = z.object({
  project: z.object({
    "requires-python": z.string(),
    dependencies: z.array(requirementSchema),
    "optional-dependencies": z.object({ dev: z.array(requirementSchema) }),
  }),
});

/** Read `pyproject.toml`, the one place that says which Python and which packages are accepted. */
export function pythonRequirements(path: string = join(packageRoot, "pyproject.toml")): PythonRequirements {
  const { project } = pyprojectSchema.parse(parse(readFileSync(path, "utf8")));
  return {
    python: project["requires-python"],
    packages: new Map(project.dependencies),
    devPackages: new Map(project["optional-dependencies"].dev),
  };
}
