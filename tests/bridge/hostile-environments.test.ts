import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { withheldVariables } from "../../src/python/python-variables.js";
import { probePython } from "../../src/python/require-packages.js";
import { createObject, lightSession, python } from "./light-session.js";
import { rejectionOf } from "./rejection-of.js";

const folder = mkdtempSync(join(tmpdir(), "hostile-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

/** A folder with one module that cannot be imported. */
function withBrokenModule(name: string): string {
  const path = join(folder, `broken-${name}`);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, `${name}.py`), 'raise ImportError("not the real one")\n');
  return path;
}

function fileAt(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  return path;
}

/** Start Python, and have it make and show an object. */
async function roundTrip(): Promise<number[]> {
  const session = await lightSession();
  const handle = await createObject(session, 5);
  return (await session.invoke("model.generate", { handle, tokens: [1], options: {}, seed: null })).tokens;
}

describe("Python is found and answers in an environment with", () => {
  test.each<Record<string, string>>([
    { TMPDIR: "/nowhere/at/all" },
    { TMPDIR: fileAt("a file") },
    { TMPDIR: join(folder, "a-path-that-is-too-long-for-a-socket".repeat(4)) },
    { PYTHONSAFEPATH: "1" },
    { PYTHONIOENCODING: "utf-16" },
    { PYTHONHOME: "/nowhere" },
    { PYTHONOPTIMIZE: "2" },
    { PYTHONWARNINGS: "error" },
    { PYTHONINSPECT: "1" },
    { PYTHONSTARTUP: "/nowhere/startup.py" },
    { PYTHONBREAKPOINT: "nonsense.breakpoint" },
    { PYTHONHASHSEED: "abc" },
    { PYTHONMALLOC: "nonsense" },
    { PYTHONUTF8: "nonsense" },
    { PYTHONDEVMODE: "1" },
    { PYTHONVERBOSE: "2" },
    { PYTHONUNBUFFERED: "" },
    { PYTHONDONTWRITEBYTECODE: "" },
    { PYTHONNOUSERSITE: "1" },
    { PYTHONUSERBASE: "/nowhere" },
    { PYTHONPYCACHEPREFIX: "/proc" },
    { WORLD_SIZE: "2", RANK: "1", LOCAL_RANK: "1", MASTER_ADDR: "nowhere", MASTER_PORT: "1" },
    { LANG: "C" },
    { LC_ALL: "POSIX" },
    { LC_ALL: "xx_YY.nonsense" },
    { LD_PRELOAD: "" },
    { TZ: "Nowhere/At_All" },
    { HOME: "/nowhere" },
    { PATH: "" },
  ])("%o", async (variables) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    expect((await probePython(python)).packages.torch).toMatch(/^\d/);
    expect(await roundTrip()).toEqual([1, 5]);
  });
});

describe("a module that stands in the way of Python's own, by PYTHONPATH, is named with the variable", () => {
  test("when Python is probed", async () => {
    const path = withBrokenModule("csv");
    vi.stubEnv("PYTHONPATH", path);
    expect(await rejectionOf(probePython(python))).toMatchObject({
      code: "PYTHON_NOT_FOUND",
      message: expect.stringContaining(`PYTHONPATH is set to ${path} (modules there come before Python's own): if that is the cause, unset PYTHONPATH`),
    });
  });

  test("when Python is started", async () => {
    const path = withBrokenModule("socket");
    vi.stubEnv("PYTHONPATH", path);
    expect(await rejectionOf(lightSession())).toMatchObject({
      code: "PEER_EXITED",
      message: expect.stringMatching(new RegExp(`not the real one.*PYTHONPATH is set to ${path} .*unset PYTHONPATH$`)),
    });
  });
});

test("docs/install.md names all variables that are withheld, and those that are passed on all the same", () => {
  const page = readFileSync("docs/install.md", "utf8");
  const documented = [...page.matchAll(/`([A-Z][A-Z0-9_]*[A-Z0-9])(_?\*)?`/g)].map(([, name = "", star]) => (star ? `${name}_X` : name));
  for (const { names, except = [] } of withheldVariables) {
    expect(documented.filter((name) => names.test(name)).length, String(names)).toBeGreaterThan(0);
    for (const name of except) expect(documented).toContain(name);
  }
});
