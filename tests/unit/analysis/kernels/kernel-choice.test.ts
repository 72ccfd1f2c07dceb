import { afterEach, expect, test, vi } from "vitest";
import { defaultKernels } from "../../../../src/analysis/kernels/load-kernels.js";

afterEach(() => vi.unstubAllEnvs());

test("the environment can ask for plain TypeScript, by that word alone", () => {
  vi.stubEnv("BH_BRIDGE_KERNELS", undefined);
  expect(defaultKernels()).toBe("wasm");
  vi.stubEnv("BH_BRIDGE_KERNELS", "plain");
  expect(defaultKernels()).toBe("plain");
  vi.stubEnv("BH_BRIDGE_KERNELS", "Plain");
  expect(defaultKernels()).toBe("wasm");
});
