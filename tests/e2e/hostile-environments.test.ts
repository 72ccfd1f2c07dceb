import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync, type Options, type SyncOptions } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorDocumentSchema } from "../../src/commands/terminal/terminal-documents.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { projectRoot, python, run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const at = (...names: string[]) => join(folder.path, ...names);

const corpus = at("corpus.txt");
writeFileSync(corpus, "All work and no play makes Jack a dull boy.\n".repeat(20));
const tiny = ["n_embd=8", "n_layer=1", "n_positions=16"].flatMap((value) => ["--set", `model.${value}`]);
const training = ["train", "--corpus", corpus, "--steps", "2", "--device", "cpu", "--threads", "1", "--set", "model.dtype=float32", ...tiny, "--json"];

/** Run a program of this machine's with the built bh-bridge as its last arguments. */
function runThrough(command: readonly string[], args: readonly string[], options: SyncOptions = {}) {
  const [file = "", ...before] = command;
  return execaSync(file, [...before, process.execPath, join(projectRoot, "dist/cli.js"), ...args], { reject: false, stdin: "ignore", ...options });
}

/** Whether this machine can do what a test needs: many of them take rights, or programs that not every system has. */
function can(file: string, ...args: string[]): boolean {
  return !execaSync(file, args, { reject: false }).failed;
}

/** The two steps of a tiny training, as they were recorded. */
async function recorded(out: string, options: Options = {}): Promise<Buffer> {
  const { exitCode, stdout, stderr } = await run([...training, "--out", at(out)], options);
  expect(exitCode, stderr).toBe(0);
  expect(trainResultSchema.parse(JSON.parse(stdout))).toMatchObject({ status: "completed", steps: { planned: 2, done: 2 } });
  return readFileSync(at(out, readdirSync(at(out))[0] ?? "", "history.safetensors"));
}

describe("a training has the same bits", () => {
  let undisturbed: Buffer;
  beforeAll(async () => {
    undisturbed = await recorded("undisturbed");
  });

  test("inside another program's distributed job, with Python's own switches set", async () => {
    const env = {
      ...{ WORLD_SIZE: "2", RANK: "1", LOCAL_RANK: "1", LOCAL_WORLD_SIZE: "2", MASTER_ADDR: "nowhere.invalid", MASTER_PORT: "1", TORCHELASTIC_RUN_ID: "x" },
      ...{ OMPI_COMM_WORLD_SIZE: "2", PMI_SIZE: "2", PMI_RANK: "1" },
      ...{
        ACCELERATE_MIXED_PRECISION: "bf16",
        ACCELERATE_GRADIENT_ACCUMULATION_STEPS: "4",
        ACCELERATE_USE_FSDP: "true",
        ACCELERATE_DYNAMO_BACKEND: "inductor",
      },
      ...{ PYTHONSAFEPATH: "1", PYTHONIOENCODING: "utf-16", PYTHONOPTIMIZE: "2", PYTHONWARNINGS: "error", PYTHONHASHSEED: "7", PYTHONDEVMODE: "1" },
      ...{ PYTHONHOME: "/nowhere", PYTHONINSPECT: "1" },
    };
    expect((await recorded("job", { env })).equals(undisturbed)).toBe(true);
  });

  test("where nothing of the surroundings is as usual: locale, home, caches, GPU, threads, terminal, folder, open files", () => {
    const cwd = at("a folder, reäd-only");
    mkdirSync(cwd);
    chmodSync(cwd, 0o555);
    const env = {
      ...{ TMPDIR: "/nowhere", HOME: "/nowhere", HF_HOME: "/nowhere/hf", XDG_CACHE_HOME: "/nowhere/cache", TRANSFORMERS_OFFLINE: "0" },
      ...{ LANG: "C", LC_ALL: "POSIX", TZ: "Nowhere/At_All", TERM: "dumb", COLUMNS: "1", NO_COLOR: "1", FORCE_COLOR: "3" },
      ...{ OMP_NUM_THREADS: "abc", MKL_NUM_THREADS: "0", CUDA_VISIBLE_DEVICES: "junk", NODE_OPTIONS: "--max-old-space-size=2048" },
    };
    const fewFiles = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"];
    const { exitCode, stderr } = runThrough(fewFiles, [...training, "--out", at("surroundings")], { cwd, env: { ...env, BH_BRIDGE_PYTHON: python } });
    expect(exitCode, String(stderr)).toBe(0);
    expect(readFileSync(at("surroundings", readdirSync(at("surroundings"))[0] ?? "", "history.safetensors")).equals(undisturbed)).toBe(true);
  });
});

describe("where it cannot work, one error says why and what to do", () => {
  const failure = (result: { exitCode?: number | undefined; stdout: unknown }) => {
    const { code, message } = errorDocumentSchema.parse(JSON.parse(String(result.stdout)));
    return { exitCode: result.exitCode, code, message };
  };

  test("64 open files", () => {
    expect(failure(runThrough(["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"], ["presets", "--json"]))).toEqual({
      exitCode: 1,
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/too many files are open.*ulimit -n 1024$/),
    });
  });

  test("a folder that was removed", () => {
    mkdirSync(at("removed"));
    const removing = ["sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh"];
    expect(failure(runThrough(removing, ["doctor", "--json"], { cwd: at("removed") }))).toEqual({
      exitCode: 1,
      code: "FILE_NOT_FOUND",
      message: expect.stringMatching(/the current folder has been deleted.*cd$/),
    });
  });

  test("a module in the way of Python's own, by PYTHONPATH", async () => {
    mkdirSync(at("in-the-way"));
    writeFileSync(at("in-the-way", "csv.py"), 'raise ImportError("mine")\n');
    expect(failure(await run([...training, "--out", at("never")], { env: { PYTHONPATH: at("in-the-way") } }))).toEqual({
      exitCode: 3,
      code: "PYTHON_NOT_FOUND",
      message: expect.stringMatching(/unset PYTHONPATH$/),
    });
  });

  test.skipIf(!can("setpriv", "--reuid=12345", "--clear-groups", process.execPath, join(projectRoot, "dist/cli.js"), "--version"))(
    "a user without a home folder (skipped where this user cannot become another)",
    () => {
      const stranger = ["setpriv", "--reuid=12345", "--clear-groups"];
      expect(failure(runThrough(stranger, ["doctor", "--json"], { cwd: "/", extendEnv: false, env: { PATH: process.env["PATH"] } }))).toEqual({
        exitCode: 1,
        code: "FILE_NOT_FOUND",
        message: expect.stringMatching(/no home folder.*export HOME=/),
      });
    },
  );

  test.skipIf(!can("setpriv", "--reuid=65534", "--clear-groups", process.execPath, join(projectRoot, "dist/cli.js"), "--version"))(
    "a Python, and an environment, in a folder that may not be entered (skipped where this user cannot become another)",
    () => {
      const hidden = at("hidden", "python"); // temporary folders are their owner's alone
      mkdirSync(at("hidden"));
      writeFileSync(hidden, "#!/bin/sh\n", { mode: 0o755 });
      const nobody = ["setpriv", "--reuid=65534", "--clear-groups"];
      expect(failure(runThrough(nobody, ["train", "--python", hidden, "--json"], { cwd: "/" }))).toEqual({
        exitCode: 3,
        code: "PYTHON_NOT_FOUND",
        message: expect.stringMatching(/hidden\/python, but this user may not access a folder of its path\. Correct it/),
      });
      expect(failure(runThrough(nobody, ["setup", "--dir", at("hidden", "venv"), "--json"], { cwd: "/" }))).toEqual({
        exitCode: 3,
        code: "SETUP_FAILED",
        message: expect.stringMatching(/hidden\/venv cannot be accessed .*choose another folder with --dir$/),
      });
    },
  );

  test.skipIf(!can("unshare", "-m", "sh", "-c", "mount --bind /var/tmp /var/tmp && mount -o remount,bind,ro /var/tmp"))(
    "--out on a file system that is read-only (skipped where nothing can be mounted)",
    () => {
      const readOnly = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /var/tmp; exec "$@"', "sh"];
      expect(failure(runThrough(readOnly, [...training, "--out", "/var/tmp/runs"], { env: { BH_BRIDGE_PYTHON: python } }))).toEqual({
        exitCode: 1,
        code: "FILE_UNWRITABLE",
        message: "cannot write /var/tmp/runs: the file system is read-only",
      });
    },
  );

  test.skipIf(!can("unshare", "-m", "sh", "-c", "mount --bind /var/tmp /var/tmp && mount -o remount,bind,ro /var/tmp"))(
    "no folder for temporary files (skipped where nothing can be mounted)",
    () => {
      // What lies there stays in sight: the tests themselves may.
      const mount = "for each in /tmp /var/tmp; do mount --bind $each $each && mount -o remount,bind,ro $each || exit 99; done";
      const hidden = ["unshare", "-m", "sh", "-c", `${mount}; exec "$@"`, "sh"];
      const args = ["train", "--preset", "quick", "--steps", "1", "--out", "/nowhere", "--json"];
      expect(failure(runThrough(hidden, args, { env: { BH_BRIDGE_PYTHON: python, TMPDIR: "/nowhere" } }))).toEqual({
        exitCode: 1,
        code: "FILE_UNWRITABLE",
        message: expect.stringMatching(/no temporary folder can be made.*Set TMPDIR/),
      });
    },
  );
});

test.each<Record<string, string>>([
  { NO_COLOR: "1", FORCE_COLOR: "1" },
  { TERM: "dumb" },
  { COLUMNS: "1" },
  { NODE_OPTIONS: "--enable-source-maps" },
  { HOME: "" },
  { LANG: "C", LC_ALL: "POSIX" },
])("what needs no Python prints plain text in an environment with %o", async (env) => {
  const { exitCode, stdout, stderr } = await run(["presets"], { env });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^rmsnorm-11\.2a /);
});

test("a mistyped variable of ours is warned of on stderr, and stdout is one document still", async () => {
  const { exitCode, stdout, stderr } = await run(["presets", "--json"], { env: { BH_BRIDGE_PYTHN: "/usr/bin/python3" } });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toHaveProperty("schema");
  expect(stderr).toBe("Warning: bh-bridge ignores the unknown variable BH_BRIDGE_PYTHN. Did you mean BH_BRIDGE_PYTHON?");
  expect((await run(["presets", "--quiet"], { env: { BH_BRIDGE_PYTHN: "x" } })).stderr).toBe("");
});
