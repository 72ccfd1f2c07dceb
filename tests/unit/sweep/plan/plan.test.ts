import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import type { RunInput } from "../../../../src/config/resolve-run-config.js";
import type { Executor } from "../../../../src/sweep/executors/executor.js";
import { expandSweep } from "../../../../src/sweep/grammar/expand-sweep.js";
import { sweepSchema } from "../../../../src/sweep/grammar/sweep-schema.js";
import { planPoints } from "../../../../src/sweep/plan/plan.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

async function plan(written: object, { input = {}, rules = null }: { input?: RunInput; rules?: unknown } = {}) {
  const asked: boolean[] = [];
  const executor: Executor = {
    ...{ name: "local", isHere: true, train: async () => undefined },
    async machine(onCpuAlone) {
      asked.push(onCpuAlone);
      return { device: "cpu", gpus: 0, cores: 3 };
    },
  };
  const base = await loadRunConfig({ input: { preset: "quick", ...input } });
  const points = expandSweep(sweepSchema.parse(written), []);
  return { asked, ...(await planPoints({ name: "p", base, points, rules, sourceOf: (path) => path }, executor)) };
}

test("each trial is planned once, where it comes first, and every point knows its trial", async () => {
  const { plan: planned, trialOf } = await plan({ cases: [{ seed: 2 }, { seed: 1 }, { seed: 2 }] });
  expect(planned.trials.map(({ set }) => set)).toEqual([{ seed: 2 }, { seed: 1 }]);
  const [second, first] = planned.trials.map(({ trial }) => trial);
  expect(trialOf).toEqual([second, first, second]);
  expect(planned.machine.cores).toBe(3);
});

test("a plan may get more points, and has another hash with other rules, another base or another corpus", async () => {
  const corpus = join(temporaryDirectory(), "text.txt");
  writeFileSync(corpus, "another text of some length. ".repeat(100));
  const hash = async (...args: Parameters<typeof plan>) => (await plan(...args)).plan.hash;
  const first = await hash({ seeds: 1 });
  expect(await hash({ seeds: 3 })).toBe(first);
  expect(await hash({ seeds: 1 }, { input: { name: "a name is no difference" } })).toBe(first);
  const others = [
    await hash({ seeds: 1 }, { rules: { alpha: 0.01 } }),
    await hash({ seeds: 1 }, { input: { training: { max_steps: 5 } } }),
    await hash({ seeds: 1 }, { input: { data: { corpus } } }),
  ];
  expect(new Set([first, ...others]).size).toBe(4);
});

test("trials have the checksum of their own corpus", async () => {
  const folder = temporaryDirectory();
  const texts = ["one text. ", "and two. "].map((text) => text.repeat(200));
  const paths = texts.map((text, index) => {
    const path = join(folder, `${index}.txt`);
    writeFileSync(path, text);
    return path;
  });
  const { plan: planned } = await plan({ grid: { "data.corpus": paths, seed: [1, 2] } });
  const hashes = texts.map((text) => createHash("sha256").update(text).digest("hex"));
  expect(planned.trials.map(({ corpus }) => corpus)).toEqual([hashes[0], hashes[0], hashes[1], hashes[1]]);
});

test("a machine is asked for GPUs unless every trial is for the CPU", async () => {
  expect((await plan({ seeds: 1 }, { input: { device: "cpu" } })).asked).toEqual([true]);
  expect((await plan({ seeds: 1 }, { input: { device: "auto" } })).asked).toEqual([false]);
  expect((await plan({ grid: { device: ["cpu", "auto"] } }, { input: { device: "cpu" } })).asked).toEqual([false]);
});

test("trials keep to one thread unless they say otherwise", async () => {
  const threads = async (...args: Parameters<typeof plan>) => (await plan(...args)).plan.trials.map(({ config }) => config.threads);
  expect(await threads({ seeds: 1 })).toEqual([1]);
  expect(await threads({ grid: { threads: [2, 4] } })).toEqual([2, 4]);
});
