import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { resolvePython } from "../../../../src/python/require-packages.js";
import { allowedCores } from "../../../../src/sweep/executors/local/local-executor.js";
import { WarmPython } from "../../../../src/sweep/pool/train-trial.js";
import { isAlive } from "../../../e2e/program.js";
import { python } from "../../formats/reference-python.js";

const [core = 0] = allowedCores() ?? [];
const isLinux = process.platform === "linux";
const warm = new WarmPython({ python: await resolvePython({ python }), cores: isLinux ? [core] : null, gpu: null });
afterAll(() => warm.close());

const { signal } = new AbortController();
const processFor = async (threads: number | null) => (await warm.for({ device: "cpu", threads }, signal)).environment;

test("a trial finds the process of the one before; one that needs other threads finds another, and the first has gone", async () => {
  const first = await processFor(1);
  expect(first.threads).toBe(1);
  expect((await processFor(1)).pid).toBe(first.pid);
  if (isLinux) expect(readFileSync(`/proc/${first.pid}/status`, "utf8")).toMatch(new RegExp(`^Cpus_allowed_list:\\s*${core}$`, "m"));
  const second = await processFor(2);
  expect(second).toMatchObject({ threads: 2 });
  expect(second.pid).not.toBe(first.pid);
  if (isLinux) expect(isAlive(first.pid)).toBe(false);
  await warm.close();
  if (isLinux) expect(isAlive(second.pid)).toBe(false);
});
