import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { pythonVariables, suspectVariables, withheldNames } from "../../../src/python/python-variables.js";
import { python } from "../formats/reference-python.js";

test.each([
  "PYTHONHOME",
  "PYTHONSTARTUP",
  "ACCELERATE_MIXED_PRECISION",
  "RANK",
  "WORLD_SIZE",
  "LOCAL_RANK",
  "MASTER_ADDR",
  "OMPI_COMM_WORLD_SIZE",
  "SM_HP_MP_PARAMETERS",
])("%s is kept from Python", (name) => {
  expect(withheldNames({ [name]: "x" })).toEqual([name]);
  expect(pythonVariables({ [name]: "x" })).toHaveProperty(name, undefined);
});

test.each(["PYTHONPATH", "PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CONDA_PREFIX", "OMP_NUM_THREADS", "HF_HOME", "RANKING", "SLURM_JOB_ID"])(
  "%s is the user's, and is passed on",
  (name) => {
    expect(withheldNames({ [name]: "x" })).toEqual([]);
  },
);

test("Python imports nothing from the working folder: not by its own rule, and not by an empty entry of PYTHONPATH", () => {
  const entries = (value: string) => {
    const env = { PATH: process.env["PATH"], ...pythonVariables({ PYTHONPATH: value }) };
    return execFileSync(python, ["-c", "import sys; print([path for path in sys.path if path in ('', '/', '/theirs')])"], { env, cwd: "/", encoding: "utf8" });
  };
  expect(entries("::/theirs:")).toBe("['/theirs']\n");
  expect(entries("")).toBe("[]\n");
  expect(pythonVariables({ PYTHONSAFEPATH: "" })).toMatchObject({ PYTHONSAFEPATH: "1" });
});

test("Python reads what Node writes: UTF-8, whatever the locale", () => {
  const variables = { PATH: process.env["PATH"], LC_ALL: "C", ...pythonVariables({}) };
  expect(execFileSync(python, ["-c", "import sys; print(sys.getfilesystemencoding(), sys.dont_write_bytecode)"], { env: variables, encoding: "utf8" })).toBe(
    "utf-8 True\n",
  );
});

test("what may keep a Python from starting is named with its value, and only where it is set", () => {
  expect(suspectVariables({ PYTHONPATH: "/mine", LD_PRELOAD: "" })).toBe(
    ". PYTHONPATH is set to /mine (modules there come before Python's own): if that is the cause, unset PYTHONPATH",
  );
  expect(suspectVariables({})).toBe("");
});
