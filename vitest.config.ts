import { defineConfig } from "vitest/config";
import { SlowestFirst } from "./tests/slowest-first.js";

const shared = {
  // Tests start real Python processes that import torch, and wait for disks and for each other a third of the time: 3 at a time keep 2 cores busy.
  pool: "forks",
  maxWorkers: 3,
  env: { OMP_NUM_THREADS: "1" }, // more threads would have to share the cores with the other workers
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 20_000 } }, // what a busy machine may need; what is looked for is there at once on a quiet one
} as const;

/** Files that take long and that scripts/test.mjs leaves out. */
const slow: string[] = JSON.parse(process.env["LEFT_OUT_TESTS"] ?? "[]");

/** They need a cluster, which takes minutes and much of the machine: `npm test -- --all` runs them, after all others. */
const clusters = ["tests/e2e/ray.test.ts", "tests/e2e/slurm.test.ts"];

/** It registers analyses, which its process has from then on. */
const registering = ["tests/unit/analysis/register-analysis.test.ts"];

export default defineConfig({
  test: {
    ...shared,
    globalSetup: ["tests/unit/formats/reference-server.ts", "tests/warm/warm-python.ts"],
    sequence: { sequencer: SlowestFirst },
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text-summary", "html"] },
    projects: [
      // What drives Python from its own process has one for each file; commands, which run in others, and the small files of units share one.
      { test: { ...shared, name: "commands", include: ["tests/e2e/**/*.test.ts"], exclude: [...clusters, ...slow], isolate: false } },
      { test: { ...shared, name: "processes", include: ["tests/!(unit|e2e)/**/*.test.ts", ...registering], exclude: slow } },
      { test: { ...shared, name: "units", include: ["tests/unit/**/*.test.ts"], exclude: [...registering, ...slow], isolate: false } },
      { test: { ...shared, name: "clusters", include: clusters, fileParallelism: false } },
    ],
  },
});
