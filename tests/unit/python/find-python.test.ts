import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { environmentDirectory, findPython, pythonCandidates } from "../../../src/python/find-python.js";
import { folderTest, writeScript } from "./folder-test.js";

/** A folder in which every place that is searched has an interpreter. */
function furnish(folder: string) {
  const at = (...parts: string[]) => writeScript(join(folder, ...parts), "exit 0");
  return {
    "--python": at("asked", "python"),
    config: at("configured", "python"),
    BH_BRIDGE_PYTHON: at("exported", "python"),
    "virtual environment": at("active", "bin", "python"),
    conda: at("conda", "bin", "python"),
    "bh-bridge environment": at("ours", "bin", "python"),
    PATH: at("path", "python3"),
  } as const;
}

describe("order of preference", () => {
  const order = ["--python", "config", "BH_BRIDGE_PYTHON", "virtual environment", "conda", "bh-bridge environment", "PATH"] as const;
  for (const [index, expected] of order.entries()) {
    folderTest(`${expected} comes ${index === 0 ? "first" : `after ${order[index - 1]}`}`, async ({ folder }) => {
      const paths = furnish(folder);
      const present = new Set<string>(order.slice(index));
      const path = (origin: keyof typeof paths) => (present.has(origin) ? paths[origin] : undefined);
      const found = await findPython({
        ...(path("--python") && { python: paths["--python"] }),
        ...(path("config") && { config: paths.config }),
        env: {
          BH_BRIDGE_PYTHON: path("BH_BRIDGE_PYTHON"),
          VIRTUAL_ENV: path("virtual environment") && join(folder, "active"),
          CONDA_PREFIX: path("conda") && join(folder, "conda"),
          PATH: path("PATH") && join(folder, "path"),
        },
        environment: path("bh-bridge environment") ? join(folder, "ours") : join(folder, "absent"),
      });
      expect(found).toEqual({ origin: expected, path: paths[expected] });
    });
  }

  folderTest("what nobody asked for is passed over when it is absent", ({ folder }) => {
    const paths = furnish(folder);
    const env = { VIRTUAL_ENV: join(folder, "gone"), CONDA_PREFIX: join(folder, "gone"), PATH: `${join(folder, "gone")}:${join(folder, "path")}` };
    expect(pythonCandidates({ env, environment: join(folder, "ours") })).toEqual([
      { origin: "bh-bridge environment", path: paths["bh-bridge environment"] },
      { origin: "PATH", path: paths.PATH },
    ]);
  });

  folderTest("an empty BH_BRIDGE_PYTHON asks for nothing", async ({ folder }) => {
    const paths = furnish(folder);
    const found = await findPython({ env: { BH_BRIDGE_PYTHON: "", PATH: join(folder, "path") }, environment: join(folder, "gone") });
    expect(found).toEqual({ origin: "PATH", path: paths.PATH });
  });
});

describe("an interpreter that was asked for", () => {
  folderTest("is looked up in PATH when it is a name, and from the working folder when it is a path", async ({ folder }) => {
    const paths = furnish(folder);
    const env = { PATH: join(folder, "path") };
    expect((await findPython({ python: "python3", env, cwd: "/" })).path).toBe(paths.PATH);
    expect((await findPython({ python: "asked/python", env, cwd: folder })).path).toBe(paths["--python"]);
  });

  folderTest("is an error that names where the path came from when there is no such file", async ({ folder }) => {
    const path = join(folder, "nowhere");
    const ending = "but there is no such file. Correct it, or omit it to let bh-bridge find a Python";
    const common = { code: "PYTHON_NOT_FOUND" };
    await expect(findPython({ python: path, env: {} })).rejects.toMatchObject({
      ...common,
      message: `python (--python on the command line) names ${path}, ${ending}`,
    });
    await expect(findPython({ config: path, env: {} })).rejects.toMatchObject({
      ...common,
      message: `the "python" of the configuration names ${path}, ${ending}`,
    });
    await expect(findPython({ env: { BH_BRIDGE_PYTHON: path } })).rejects.toMatchObject({ ...common, message: `BH_BRIDGE_PYTHON names ${path}, ${ending}` });
    await expect(findPython({ python: "no-such-python", env: {}, cwd: folder })).rejects.toMatchObject({
      message: `python (--python on the command line) names no-such-python (not in PATH, nor in ${folder}), ${ending}`,
    });
  });

  folderTest("may be a folder by mistake: the error names the interpreter in it", async ({ folder }) => {
    const { "bh-bridge environment": inside } = furnish(folder);
    await expect(findPython({ python: join(folder, "ours"), env: {} })).rejects.toThrow(`it is a folder; give the interpreter in it: ${inside}`);
    mkdirSync(join(folder, "empty"));
    await expect(findPython({ python: join(folder, "empty"), env: {} })).rejects.toThrow("it is a folder; give the interpreter, for example /usr/bin/python3");
  });

  folderTest("may be a file that cannot be executed, or a link to one that is gone", async ({ folder }) => {
    writeFileSync(join(folder, "text"), "#!/bin/sh\n");
    symlinkSync(join(folder, "gone"), join(folder, "link"));
    await expect(findPython({ python: join(folder, "text"), env: {} })).rejects.toThrow("it is not executable");
    await expect(findPython({ python: join(folder, "link"), env: {} })).rejects.toThrow("it links to a missing file");
  });
});

folderTest("without any Python, the error names the command that installs one", async ({ folder }) => {
  await expect(findPython({ env: { PATH: folder }, environment: folder })).rejects.toMatchObject({
    code: "PYTHON_NOT_FOUND",
    message: expect.stringContaining('Run "bh-bridge setup", which installs Python'),
  });
});

folderTest("a checkout keeps its environment beside its sources, even inside a node_modules", ({ folder }) => {
  const linked = join(folder, "node_modules", "bh-bridge");
  mkdirSync(join(linked, ".git"), { recursive: true });
  expect(environmentDirectory(folder)).toBe(join(folder, ".venv"));
  expect(environmentDirectory(linked)).toBe(join(linked, ".venv"));
});

folderTest.runIf(process.platform === "linux")("an installed package uses the user's data folder", ({ folder }) => {
  const data = process.env["XDG_DATA_HOME"] || join(homedir(), ".local", "share");
  expect(environmentDirectory(join(folder, "node_modules", "bh-bridge"))).toBe(join(data, "bh-bridge", "venv"));
});
