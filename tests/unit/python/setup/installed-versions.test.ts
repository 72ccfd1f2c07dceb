import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { installedVersions } from "../../../../src/python/setup/setup-python.js";
import { python } from "../../formats/reference-python.js";

test("versions are those of the packages' own metadata; what is not installed has none", async () => {
  const program = "import json, importlib.metadata as m; print(json.dumps([m.version(n) for n in ('numpy', 'safetensors')]))";
  const [numpy, safetensors] = JSON.parse(execFileSync(python, ["-c", program], { encoding: "utf8" })) as [string, string];
  expect(await installedVersions(python, new Set(["numpy", "no-such-package", "safetensors"]))).toEqual(
    new Map([
      ["numpy", numpy],
      ["no-such-package", null],
      ["safetensors", safetensors],
    ]),
  );
});

test("what is no Python is refused, and the signal ends it", async () => {
  await expect(installedVersions("/bin/true", ["numpy"])).rejects.toMatchObject({ code: "PYTHON_NOT_FOUND" });
  await expect(installedVersions(python, ["numpy"], AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
});
