import type { PythonEnvironment } from "../protocol/operations.js";
import type { EnvironmentPin } from "../runs/run-manifest.js";
import type { ResolvedDevice } from "./resolve-device.js";

/** What a run records of the process and the device that trained it. */
export function environmentPin(environment: PythonEnvironment, device: ResolvedDevice): EnvironmentPin {
  const version = (name: string) => environment.packages[name] ?? "";
  return {
    device: device.label,
    threads: environment.threads,
    cpu_capability: environment.cpu_capability,
    processor: environment.processor,
    python: environment.python,
    torch: environment.torch,
    transformers: version("transformers"),
    accelerate: version("accelerate"),
    safetensors: version("safetensors"),
    numpy: version("numpy"),
    platform: environment.platform,
  };
}
