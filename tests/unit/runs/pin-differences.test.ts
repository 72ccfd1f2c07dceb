import { expect, test } from "vitest";
import { pinDifferences } from "../../../src/runs/pin-differences.js";
import { pin } from "./environment-pin.js";

test("another thread count, PyTorch or C library is a difference; another kernel is none", () => {
  expect(pinDifferences(pin, { ...pin, threads: 2, torch: "2.14.0" })).toEqual(["CPU threads 1 → 2", "PyTorch 2.13.0 → 2.14.0"]);
  expect(pinDifferences(pin, { ...pin, platform: "Linux-6.9.1-x86_64-with-glibc2.36" })).toEqual([]);
  expect(pinDifferences(pin, { ...pin, platform: "Linux-6.1.0-18-amd64-x86_64-with-glibc2.41" })).toHaveLength(1);
});

test("a processor of another maker, or with other instructions for bfloat16, is a difference; an older run, which does not tell its own, has none", () => {
  expect(pinDifferences(pin, { ...pin, processor: "Intel with AVX512-BF16" })).toEqual(["processor Intel with AMX → Intel with AVX512-BF16"]);
  const { processor: _processor, ...older } = pin;
  expect(pinDifferences(older, pin)).toEqual([]);
});
