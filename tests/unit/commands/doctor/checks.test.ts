import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { checkPackage, checkPython } from "../../../../src/commands/doctor/checks.js";
import { shellQuote } from "../../../../src/text/escaping.js";
import { python, temporaryDirectory } from "../../formats/reference-python.js";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));

test("node, package and transport are those of this machine, with what package.json asks for", () => {
  expect(checkPackage()).toEqual([
    { name: "node", ok: true, found: process.versions.node, expected: manifest.engines.node, fix: null },
    { name: "bh-bridge", ok: true, found: manifest.version, expected: manifest.version, fix: null },
    { name: "pythonia", ok: true, found: manifest.dependencies.pythonia, expected: manifest.dependencies.pythonia, fix: null },
  ]);
});

test("a Node.js that is too old is told with what to install", () => {
  vi.spyOn(process, "versions", "get").mockReturnValue({ ...process.versions, node: "18.19.0" });
  const [node] = checkPackage();
  vi.restoreAllMocks();
  expect(node).toMatchObject({
    ok: false,
    found: "18.19.0",
    fix: `install Node.js ${manifest.engines.node}, with your version manager or your system's packages`,
  });
});

/** An interpreter that a shell script stands for. */
function interpreter(environment: string, script: string): string {
  const path = join(environment, "bin", "python");
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const whole = (folder: string) => interpreter(folder, `exec ${shellQuote(python)} "$@"`);
/** Python without the packages that were installed beside it. */
const bare = (folder: string) => interpreter(folder, `exec ${shellQuote(python)} -S "$@"`);
const broken = (folder: string) => interpreter(folder, "exit 1");

/** Nothing but these is found, wherever one looks. */
const only = (env: NodeJS.ProcessEnv = {}) => {
  const nowhere = temporaryDirectory();
  return { env: { PATH: "", ...env }, cwd: nowhere, environment: join(nowhere, "none") };
};

test("a Python that has everything is named with where it was found, and all is well", async () => {
  const path = whole(temporaryDirectory());
  const { checks, report } = await checkPython({ python: path, ...only() });
  expect(checks.map(({ name }) => name)).toEqual(["python", "torch", "transformers", "accelerate", "safetensors", "numpy"]);
  expect(checks.filter(({ ok, fix }) => !ok || fix !== null)).toEqual([]);
  expect(checks[0]?.found).toBe(`${report?.version}, ${path} (--python)`);
});

test("what one that was asked for lacks is installed where it is, and what was found by itself by the set-up", async () => {
  const path = bare(temporaryDirectory());
  const asked = (await checkPython({ python: path, ...only() })).checks.find(({ name }) => name === "torch");
  expect(asked).toMatchObject({ ok: false, found: null, fix: expect.stringContaining(`${path} -m pip install`) });
  const found = (await checkPython(only({ PATH: join(path, "..") }))).checks.find(({ name }) => name === "torch");
  expect(found).toMatchObject({ ok: false, fix: "bh-bridge setup" });
});

test("of several the first that has everything is taken, and what is wrong with those before it is said", async () => {
  const folder = temporaryDirectory();
  const [first, second, third] = [broken(join(folder, "a")), bare(join(folder, "b")), whole(join(folder, "c"))];
  const { checks } = await checkPython(only({ VIRTUAL_ENV: join(folder, "a"), CONDA_PREFIX: join(folder, "b"), PATH: join(third, "..") }));
  expect(checks[0]?.found).toMatch(
    new RegExp(`, ${third} \\(PATH\\); not used: ${first} \\(virtual environment, does not run\\), ${second} \\(conda, lacks torch, `),
  );
  expect(checks.every(({ ok }) => ok)).toBe(true);
});

test("where there is none, or what was asked for is not there, that is the one check", async () => {
  expect((await checkPython(only())).checks).toMatchObject([{ name: "python", ok: false, fix: expect.any(String) }]);
  const { checks } = await checkPython({ python: "/nowhere/python", ...only() });
  expect(checks).toMatchObject([{ name: "python", ok: false, found: null, fix: expect.stringContaining("/nowhere/python") }]);
});
