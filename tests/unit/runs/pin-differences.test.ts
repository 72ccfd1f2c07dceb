import { expect, test } from "vitest";
import { pinDifferences } from "../../../src/runs/pin-differences.js";

const pin = {
  device: "cpu",
  threads: 1,
  cpu_capability: "AVX512",
  python: "3.11.7",
  torch: "2.13.0",
  transformers: "5.24.0",
  accelerate: "1.15.0",
  safetensors: "0.8.0",
  numpy: "2.4.6",
  platform: "Linux-6.1.0-18-amd64-x86_64-with-glibc2.36",
};

test("another thread count, PyTorch or C library is a difference; another kernel is none", () => {
  expect(pinDifferences(pin, { ...pin, threads: 2, torch: "2.14.0" })).toEqual(["CPU threads 1 → 2", "PyTorch 2.13.0 → 2.14.0"]);
  expect(pinDifferences(pin, { ...pin, platform: "Linux-6.9.1-x86_64-with-glibc2.36" })).toEqual([]);
  expect(pinDifferences(pin, { ...pin, platform: "Linux-6.1.0-18-amd64-x86_64-with-glibc2.41" })).toHaveLength(1);
});
