import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { setupDocumentSchema, setupDownloadDocumentSchema } from "../../../src/commands/setup/setup.js";
import { errorDocumentSchema } from "../../../src/commands/terminal/terminal-documents.js";
import { isFull } from "../../repetitions.js";
import { temporaryFolder } from "../program.js";
import { LocalMirror, NoUv } from "./local-mirror.js";

const folder = temporaryFolder();
const bin = join(folder.path, "bin");
let mirror: LocalMirror | undefined;
let address = "";
/** Why these tests are skipped, or nothing. */
let missing: string | undefined;

beforeAll(async () => {
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node")); // nothing else is in PATH
  try {
    mirror = new LocalMirror(folder.path);
    address = await mirror.listen();
  } catch (error) {
    if (!(error instanceof NoUv)) throw error;
    missing = `SKIPPED: ${error.message}`;
  }
}, 120_000);
afterAll(() => {
  mirror?.[Symbol.dispose]();
  folder[Symbol.dispose]();
});

/** A user of the machine: a home folder. */
function userOf(name: string) {
  const home = join(folder.path, name);
  mkdirSync(home, { recursive: true });
  const data = join(home, ".local/share/bh-bridge");
  const directory = join(home, "venv");
  const env = {
    ...{ PATH: bin, HOME: home, PIP_INDEX_URL: `${address}/simple`, UV_PYTHON_INSTALL_MIRROR: `${address}/python` },
    UV_PYTHON_DOWNLOADS_JSON_URL: `file://${join(folder.path, "pythons.json")}`,
  };
  const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    execa(process.execPath, [join(folder.path, "package/dist/cli.js"), ...args], {
      ...{ env: { ...env, ...more }, extendEnv: false, reject: false, stdin: "ignore", cwd: home, detached: true },
    });
  const setUp = (args: readonly string[] = [], more: Readonly<Record<string, string>> = {}) =>
    start(["setup", "--dir", directory, "--torch-index-url", `${address}/torch`, "--json", ...args], more);
  return { home, data, directory, start, setUp };
}

const ofMirror = (name: string, task: (mirror: LocalMirror) => Promise<void>, isShort = true) =>
  test(name, async ({ skip }) => {
    if (!mirror) return skip(missing);
    if (!isShort && !isFull) return skip("FULL_TESTS=1 runs it");
    mirror.corrupted.clear();
    mirror.requests.length = 0;
    mirror.served = 0;
    mirror.onPiece = () => undefined;
    mirror.pieceBytes = 2 ** 20;
    await task(mirror);
  });

/** The versions that the environment's Python imports. */
function importedVersions(directory: string): Record<string, string> {
  const code =
    "import json, torch, transformers, accelerate, safetensors, numpy; print(json.dumps({m.__name__: m.__version__ for m in (torch, transformers, accelerate, safetensors, numpy)}))";
  return JSON.parse(execFileSync(join(directory, "bin/python"), ["-c", code], { encoding: "utf8" })) as Record<string, string>;
}

/** Compares each file of the environment's packages with the wheel that it came from. */
function requireEqualToWheels(directory: string): void {
  const code = `
import glob, hashlib, json, os, sys, sysconfig, zipfile
site = sysconfig.get_path("purelib")
for path in json.loads(sys.argv[1]):
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if name.endswith("/RECORD"): continue
            with open(os.path.join(site, name), "rb") as file: assert file.read() == wheel.read(name), name`;
  const wheels = (mirror?.wheels ?? [])
    .filter(({ file, torch }) => torch !== "cuda" && !file.startsWith("uv-"))
    .map(({ file }) => join(folder.path, "files", file));
  execFileSync(join(directory, "bin/python"), ["-c", code, JSON.stringify(wheels)], { encoding: "utf8" });
}

const locked = { torch: "2.13.0+cpu", transformers: "5.24.0", accelerate: "1.15.0", safetensors: "0.8.0", numpy: "2.4.6" };

describe.sequential("without Python", () => {
  ofMirror("uv makes the environment, with the CPU build where there is no GPU, and leaves no downloads", async ({ requests, python }) => {
    const user = userOf("first");
    const { exitCode, stdout, stderr } = await user.setUp();
    expect(stderr).toContain("installing with uv: no Python >=3.11 in PATH");
    expect(exitCode).toBe(0);
    expect(setupDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({
      ...{ status: "created", directory: user.directory, installer: { name: "uv", reason: "no Python >=3.11 in PATH" } },
      python: { path: join(user.directory, "bin/python"), version: python.version },
    });
    expect(stderr).toContain(`Next: node ../package/dist/cli.js train --preset quick --python ${user.directory}/bin/python`);
    expect(importedVersions(user.directory)).toEqual(locked);
    requireEqualToWheels(user.directory);
    expect(requests.filter(({ path }) => path.includes("torch-")).map(({ path }) => path)).toEqual(["/files/torch-2.13.0+cpu-py3-none-any.whl"]);
    expect(readdirSync(join(user.data, "uv")).sort()).toEqual([expect.stringMatching(/^python$/), expect.stringMatching(/^uv-[\d.]+$/)]);
  });

  ofMirror("again, it is complete and nothing is downloaded", async ({ requests }) => {
    const user = userOf("first");
    const { stdout } = await user.setUp();
    expect(setupDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({ status: "complete", installer: null });
    expect(requests).toEqual([]);
  });

  ofMirror("the doctor reports that uv made it", async () => {
    const user = userOf("first");
    const { stdout } = await user.start(["doctor", "--json", "--python", join(user.directory, "bin/python")]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; found: string }[] };
    expect(checks.find(({ name }) => name === "python")?.found).toContain("(--python, made by uv)");
  });

  ofMirror(
    "an environment of uv that lost a package is made again",
    async () => {
      const user = userOf("first");
      const python = join(user.directory, "bin/python");
      const numpy = execFileSync(python, ["-c", "import numpy; print(numpy.__path__[0])"], { encoding: "utf8" }).trim();
      rmSync(numpy, { recursive: true });
      rmSync(`${numpy}-2.4.6.dist-info`, { recursive: true });
      const { stdout } = await user.setUp();
      expect(setupDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({ status: "continued", installer: { name: "uv" } });
      requireEqualToWheels(user.directory);
      expect(readdirSync(user.home).filter((name) => name.includes("partial"))).toEqual([]);
    },
    false,
  );

  ofMirror("a file with another SHA-256 is refused after a second try, and nothing is installed", async ({ requests, corrupted }) => {
    const user = userOf("tampered");
    corrupted.add("numpy-2.4.6-py3-none-any.whl");
    const { exitCode, stdout } = await user.setUp();
    expect(exitCode).toBe(3);
    expect(errorDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({
      code: "SETUP_FAILED",
      message: expect.stringContaining("is not the file that bh-bridge expects"),
    });
    expect(requests.filter(({ path }) => path.includes("numpy")).map(({ offset }) => offset)).toEqual([0, 0]);
    expect(existsSync(user.directory)).toBe(false);
  });

  ofMirror(
    "a damaged archive of Python is refused by uv, and downloaded again by the next call",
    async ({ corrupted, python }) => {
      const user = userOf("damaged");
      corrupted.add(python.file);
      const { exitCode, stdout } = await user.setUp();
      expect([exitCode, errorDocumentSchema.parse(JSON.parse(stdout)).code]).toEqual([3, "SETUP_FAILED"]);
      expect(existsSync(user.directory)).toBe(false);
      corrupted.clear();
      expect((await user.setUp()).exitCode).toBe(0);
      expect(importedVersions(user.directory)).toEqual(locked);
    },
    false,
  );
});

/** Kills in the download, at equal distances in bytes, and kills after it, when a file or a line is there. */
const killsInDownload = isFull ? 13 : 2;
const laterPoints = ["verifying", "installing Python", ".partial-", "installing 6 packages", "site-packages", "numpy", "torch"];
const killsLater = isFull ? laterPoints : ["numpy"];

describe.sequential("killed", () => {
  ofMirror(
    `a set-up that is killed with all its processes at ${killsInDownload + killsLater.length} points continues, and no incomplete environment is usable`,
    async (local) => {
      const user = userOf("killed");
      local.pieceBytes = 2 ** 15;
      const { python } = local;
      const wanted = local.wheels
        .filter(({ torch }) => torch !== "cuda")
        .reduce((sum, { bytes }) => sum + bytes, readFileSync(join(folder.path, "files", python.file)).length);
      const kill = async (isTime: (said: string) => boolean, milliseconds = 1) => {
        const program = user.setUp();
        let said = "";
        program.stderr.on("data", (data: Buffer) => {
          said += data.toString();
        });
        const stop = () => {
          if (program.pid === undefined || !isTime(said)) return;
          try {
            process.kill(-program.pid, "SIGKILL");
          } catch (error) {
            expect(error).toMatchObject({ code: "ESRCH" }); // killed before, while another piece waited
          }
        };
        // What was sent waits in the buffers of the system for a moment, before the program has it on disk.
        local.onPiece = async () => {
          if (isTime(said)) await after(50);
          stop();
        };
        const timer = setInterval(stop, milliseconds);
        const { signal } = await program;
        clearInterval(timer);
        local.onPiece = () => undefined;
        expect(signal).toBe("SIGKILL");
        expect(existsSync(user.directory)).toBe(false);
      };
      for (let point = 1; point <= killsInDownload; point++) await kill(() => local.served >= (wanted * point) / (killsInDownload + 1), 100);
      const partial = () => readdirSync(user.home).filter((name) => name.startsWith("venv.partial-"));
      const filesIn = (path: string) => (existsSync(path) ? readdirSync(path, { recursive: true, encoding: "utf8" }) : []);
      for (const point of killsLater) {
        const before = partial();
        const isThere = () =>
          partial().some(
            (name) => !before.includes(name) && (point === ".partial-" || filesIn(join(user.home, name)).some((file) => file.includes(`${point}`))),
          );
        await kill((said) => said.includes(point) || isThere());
      }
      const { exitCode, stdout } = await user.setUp();
      expect([exitCode, setupDocumentSchema.parse(JSON.parse(stdout)).status]).toEqual([0, "created"]);
      expect(importedVersions(user.directory)).toEqual(locked);
      requireEqualToWheels(user.directory);
      expect(partial()).toEqual([]);
      // Each file continued where it had stopped.
      for (const { file } of local.wheels) {
        const offsets = local.requests.flatMap(({ path, offset }) => (path.endsWith(`/${file}`) ? [offset] : []));
        expect(offsets, file).toEqual(offsets.toSorted((left, right) => left - right));
      }
      expect(local.requests.filter(({ offset }) => offset > 0).length).toBeGreaterThan(0); // some kills fall between two files
    },
  );
});

describe.sequential("without a network", () => {
  ofMirror("a folder of downloads installs on another machine, with its build of torch", async (local) => {
    const user = userOf("connected");
    const files = join(user.home, "files");
    writeFileSync(join(bin, "nvidia-smi"), "#!/bin/sh\necho 'GPU 0: NVIDIA H100 (UUID: GPU-1)'\n");
    chmodSync(join(bin, "nvidia-smi"), 0o755);
    const loaded = await user.start(["setup", "--download", files, "--torch-index-url", `${address}/torch`, "--json"], { PATH: `${bin}:/bin` });
    rmSync(join(bin, "nvidia-smi"));
    expect(loaded.exitCode).toBe(0);
    expect(setupDownloadDocumentSchema.parse(JSON.parse(loaded.stdout))).toMatchObject({ torch: "cuda", files: 8, directory: files });
    expect(execFileSync("sha256sum", ["-c", "SHA256SUMS"], { cwd: files, encoding: "utf8" }).match(/: OK/g)).toHaveLength(8);
    local.requests.length = 0;
    const other = userOf("unconnected");
    const nowhere = { PIP_INDEX_URL: "http://127.0.0.1:9/simple", UV_PYTHON_INSTALL_MIRROR: "http://127.0.0.1:9" };
    const { exitCode, stdout } = await other.setUp(["--offline", files], nowhere);
    expect(exitCode).toBe(0);
    expect(setupDocumentSchema.parse(JSON.parse(stdout)).installer).toEqual({ name: "uv", reason: "--offline" });
    expect(importedVersions(other.directory)).toEqual({ ...locked, torch: "2.13.0" });
    expect(local.requests).toEqual([]);
    expect(existsSync(join(files, "SHA256SUMS"))).toBe(true);
  });

  ofMirror("a folder that lacks a file, or has another build of torch than asked for, is refused", async () => {
    const files = join(folder.path, "connected/files");
    const user = userOf("refused");
    const asked = await user.setUp(["--offline", files, "--torch", "cpu"]);
    expect(errorDocumentSchema.parse(JSON.parse(asked.stdout))).toMatchObject({
      code: "SETUP_FAILED",
      message: expect.stringContaining("has torch for cuda, not for cpu"),
    });
    rmSync(join(files, "numpy-2.4.6-py3-none-any.whl"));
    const { exitCode, stdout } = await user.setUp(["--offline", files]);
    expect(exitCode).toBe(3);
    expect(errorDocumentSchema.parse(JSON.parse(stdout)).message).toMatch(/is not a complete download for linux-\w+: it lacks /);
  });

  ofMirror("options that contradict each other or the system are usage errors", async () => {
    const user = userOf("usage");
    for (const [args, reason] of [
      [["--uv", "--torch", "mps"], "only macOS has MPS"],
      [["--offline", "files", "--python", "/usr/bin/python3"], "exclude each other"],
      [["--offline", "files", "--dev"], "exclude each other"],
    ] as const) {
      const { exitCode, stdout } = await user.setUp(args);
      expect(errorDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({ code: "USAGE", message: expect.stringContaining(reason) });
      expect(exitCode).toBe(2);
    }
  });
});

test("the lock has a file of every package for each platform, in the ranges of pyproject.toml", async () => {
  const { pythonRequirements } = await import("../../../src/python/require-packages.js");
  const { versionSatisfies } = await import("../../../src/python/package-manifest.js");
  const { wheels } = JSON.parse(readFileSync(join(import.meta.dirname, "../../../python/environment.lock.json"), "utf8")) as {
    wheels: { file: string; bytes: number; on?: string[]; torch?: string }[];
  };
  for (const platform of ["linux-x64", "linux-arm64", "macos-arm64"]) {
    for (const torch of platform === "macos-arm64" ? ["mps"] : ["cpu", "cuda"]) {
      const wanted = wheels.filter((wheel) => (wheel.on?.includes(platform) ?? true) && (wheel.torch ?? torch) === torch);
      const versions = new Map(wanted.map(({ file }) => [file.split("-")[0], file.split("-")[1] ?? ""]));
      expect(versions.size).toBe(wanted.length);
      for (const [name, range] of pythonRequirements().packages)
        expect(versionSatisfies(versions.get(name) ?? "0", range), `${name} for ${platform}`).toBe(true);
      expect([versions.has("uv"), versions.has("pip"), versions.has("nvidia_cublas")]).toEqual([true, true, torch === "cuda"]);
    }
  }
});
