import { expect, test } from "vitest";
import { resolveDevice } from "../../../src/bridge/resolve-device.js";
import type { PythonEnvironment } from "../../../src/protocol/operations.js";

const machine = (cuda: string[], mps: boolean) => ({ devices: { cuda, mps } }) as PythonEnvironment;

test.each([
  ["auto", machine(["NVIDIA H100"], true), "cuda: NVIDIA H100"],
  ["auto", machine([], true), "mps"],
  ["auto", machine([], false), "cpu"],
  ["cpu", machine(["NVIDIA H100"], true), "cpu"],
  ["cuda:3", machine(["NVIDIA A100"], false), "cuda: NVIDIA A100"], // the chosen one is the only one that Python sees
  ["mps", machine([], true), "mps"],
])("%s on a machine %# is %s", (wanted, environment, label) => {
  expect(resolveDevice(wanted, environment).label).toBe(label);
});

test.each([
  ["cuda", machine([], true), /cuda is not available: PyTorch sees mps, cpu/],
  ["mps", machine(["NVIDIA H100"], false), /mps is not available: PyTorch sees cuda: NVIDIA H100, cpu/],
])("%s where it is not is refused, naming what is there", (wanted, environment, message) => {
  let error: unknown;
  try {
    resolveDevice(wanted, environment);
  } catch (caught) {
    error = caught;
  }
  expect(error).toMatchObject({ code: "DEVICE_UNAVAILABLE", message: expect.stringMatching(message) });
});
