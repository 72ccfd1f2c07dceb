import type { EnvironmentPin } from "./run-manifest.js";

/** What a person calls a field of the pin. */
const labels: Record<keyof EnvironmentPin, string> = {
  device: "device",
  threads: "CPU threads",
  cpu_capability: "CPU capability",
  python: "Python",
  torch: "PyTorch",
  transformers: "transformers",
  accelerate: "accelerate",
  safetensors: "safetensors",
  numpy: "NumPy",
  platform: "platform",
};

/** A Linux platform without its kernel's release, which computes nothing: `Linux-6.1.0-x86_64-with-glibc2.36` → `Linux-x86_64-with-glibc2.36`. */
export function withoutKernel(platform: string): string {
  return platform.replace(/^Linux-.*-([^-]+-with-[^-]+)$/, "Linux-$1");
}

/** What differs between the environment that a run was recorded in and the present one, in words: `PyTorch 2.13.0 → 2.14.0`. */
export function pinDifferences(recorded: EnvironmentPin, present: EnvironmentPin): string[] {
  return (Object.keys(labels) as (keyof EnvironmentPin)[]).flatMap((field) => {
    const [before, now] = [recorded, present].map((pin) => (field === "platform" ? withoutKernel(pin.platform) : String(pin[field])));
    return before === now ? [] : [`${labels[field]} ${before} → ${now}`];
  });
}
