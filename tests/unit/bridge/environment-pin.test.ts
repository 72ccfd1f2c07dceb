import { expect, test } from "vitest";
import { environmentPin } from "../../../src/bridge/environment-pin.js";
import { resolveDevice } from "../../../src/bridge/resolve-device.js";
import type { PythonEnvironment } from "../../../src/protocol/operations.js";
import { environmentPinSchema } from "../../../src/runs/run-manifest.js";
import { pin } from "../runs/environment-pin.js";

const { device: _, transformers, accelerate, safetensors, numpy, ...process } = pin;
const environment = {
  ...process,
  devices: { cuda: ["NVIDIA H100"], mps: false },
  packages: { transformers, accelerate, safetensors, numpy },
} as unknown as PythonEnvironment;

test("a run records what decides its bits: device, threads, processor, and the versions of what computes", () => {
  expect(environmentPinSchema.parse(environmentPin(environment, resolveDevice("cpu", environment)))).toEqual(pin);
  expect(environmentPin(environment, resolveDevice("cuda", environment)).device).toBe("cuda: NVIDIA H100");
});

test("a package that is not there has no version", () => {
  const without = { ...environment, packages: { transformers } } as PythonEnvironment;
  expect(environmentPin(without, resolveDevice("cpu", without))).toMatchObject({ transformers, accelerate: "", numpy: "" });
});
