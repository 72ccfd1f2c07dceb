import type { EnvironmentPin } from "../../../src/runs/run-manifest.js";

/** An environment that a run could have recorded. */
export const pin: EnvironmentPin = {
  device: "cpu",
  threads: 1,
  cpu_capability: "AVX512",
  processor: "Intel with AMX",
  python: "3.11.7",
  torch: "2.13.0",
  transformers: "5.24.0",
  accelerate: "1.15.0",
  safetensors: "0.8.0",
  numpy: "2.4.6",
  platform: "Linux-6.1.0-18-amd64-x86_64-with-glibc2.36",
};
