import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { setupDocumentSchema } from "../../src/commands/setup/setup.js";
import { errorDocumentSchema } from "../../src/commands/terminal/terminal-documents.js";
import { pythonRequirements } from "../../src/python/require-packages.js";
import { isFull } from "../repetitions.js";
import { eventually, run, start, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const directory = join(folder.path, "venv");
const setUp = ["setup", "--dir", directory, "--json"];
const { packages } = pythonRequirements();
const names = [...packages.keys()];

/**
 * Wheels with the names and lowest versions of the packages, and so many files that installing them takes a second. METADATA comes first, so a package whose
 * installation was interrupted looks installed.
 */
function writeWheels(to: string): void {
  const wheels = [...packages].map(([name, range]) => [name, /\d[\d.]*/.exec(range)?.[0]]);
  const program = `
import json, sys, zipfile
for name, version in json.loads(sys.argv[1]):
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"__version__ = '{version}'",
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    } | {f"{name}/part{number}.py": "" for number in range(800)}
    with zipfile.ZipFile(f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items(): wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"]))`;
  mkdirSync(to);
  execFileSync("python3", ["-c", program, JSON.stringify(wheels)], { cwd: to });
}

/**
 * What pip installs: with FULL_TESTS=1 the packages themselves, as `npm test` does on a fresh checkout; otherwise small wheels of their names. To compile ten
 * thousand modules that nobody imports takes pip longer than to install them.
 */
const wheels = join(folder.path, "wheels");
const env = { PIP_NO_COMPILE: "1", ...(!isFull && { PIP_NO_INDEX: "1", PIP_FIND_LINKS: wheels }) };
if (!isFull) writeWheels(wheels);

/** A real installation of a GB takes 30 s on an idle machine; this allows for slow networks and busy disks. */
const installTimeoutMs = 600_000;

/** Those of the packages that pip is installing: it writes INSTALLER last. */
function incomplete(): string[] {
  const libraries = join(directory, "lib");
  const folders = existsSync(libraries) ? readdirSync(libraries).map((name) => join(libraries, name, "site-packages")) : [];
  const installed = folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []));
  return installed.filter((path) => names.some((name) => basename(path).startsWith(`${name}-`)) && !existsSync(join(path, "INSTALLER")));
}

describe.sequential("one environment, from nothing to complete", { timeout: installTimeoutMs }, () => {
  test("Ctrl-C while packages are being installed ends with exit code 130 and says how to go on", async () => {
    const program = start(setUp, { buffer: false, env });
    const { stdout, stderr } = program;
    let document = "";
    let progress = "";
    stdout?.on("data", (chunk: Buffer) => {
      document += chunk.toString();
    });
    stderr?.on("data", (chunk: Buffer) => {
      progress += chunk.toString();
    });
    expect(await eventually(() => incomplete().length > 0, installTimeoutMs)).toBe(true);
    program.kill("SIGINT");
    const { exitCode } = await program;
    expect(exitCode).toBe(130);
    expect(errorDocumentSchema.parse(JSON.parse(document))).toMatchObject({
      code: "ABORTED",
      message: expect.stringContaining("Run the same command again to continue"),
    });
    expect(progress).toContain("installing ");
    for (const steering of ["\r", "\u001b"]) expect(progress).not.toContain(steering);
  });

  test("the same command continues it, and everything can be imported", async () => {
    const { exitCode, stdout, stderr } = await run(setUp, { env });
    expect(stderr).toContain("set BH_BRIDGE_PYTHON to that path");
    expect(exitCode).toBe(0);
    const { status, python } = setupDocumentSchema.parse(JSON.parse(stdout));
    expect(status).toBe("continued");
    const modules = names.map((name) => (isFull ? name : `${name}.part799`));
    execFileSync(python.path, ["-c", `import ${modules.join(", ")}`]);
  });

  test("once more, it is complete and nothing is done", async () => {
    const { exitCode, stdout } = await run(setUp, { env });
    expect(exitCode).toBe(0);
    const { status, seconds } = setupDocumentSchema.parse(JSON.parse(stdout));
    expect(status).toBe("complete");
    expect(seconds).toBeLessThan(5);
  });
});

test("a build of torch that does not exist is a usage error", async () => {
  expect((await run(["setup", "--torch", "rocm"])).exitCode).toBe(2);
});

test("--python that is no Python is an error of the environment", async () => {
  const { exitCode, stdout } = await run(["setup", "--python", "/nowhere/python", "--dir", join(folder.path, "other"), "--json"]);
  expect(exitCode).toBe(3);
  expect(errorDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({ code: "PYTHON_NOT_FOUND" });
});
