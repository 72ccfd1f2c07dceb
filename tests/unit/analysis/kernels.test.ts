import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { defaultKernels } from "../../../src/analysis/kernels/kernel-choice.js";

test("the embedded kernels are what their sources compile to", () => {
  expect(() => execFileSync(process.execPath, ["scripts/build-kernels.mjs", "--check"], { stdio: "pipe" })).not.toThrow();
});

test("the environment can ask for plain TypeScript", () => {
  expect(defaultKernels()).toBe("wasm");
  process.env["BH_BRIDGE_KERNELS"] = "plain";
  try {
    expect(defaultKernels()).toBe("plain");
  } finally {
    delete process.env["BH_BRIDGE_KERNELS"];
  }
});
