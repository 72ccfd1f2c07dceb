import { expect, test } from "vitest";
import { deviceKind } from "../../../src/config/device-kind.js";

test.each([
  ["cpu", "cpu"],
  ["mps", "mps"],
  ["cuda:1", "cuda"],
  ["cuda: NVIDIA H100 80GB HBM3", "cuda"],
])("%s is of the kind %s", (device, kind) => {
  expect(deviceKind(device)).toBe(kind);
});
