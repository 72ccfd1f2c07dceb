import type { EnvironmentPin } from "./run-manifest.js";

/** What a person calls a field of the pin. */
const labels: Record<keyof EnvironmentPin, string> = {
  device: "device",
  threads: "CPU threads",
  cpu_capability: "CPU capability",
  processor: "processor",
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

/** A field of the pin in which two environments differ, as a person calls it, and what it is in both. */
interface PinDifference {
  readonly field: keyof EnvironmentPin;
  readonly label: string;
  readonly before: string;
  readonly now: string;
}

/** The fields in which two environments differ in what they compute; of one that an older run does not tell, nothing is said. */
export function differingPinFields(recorded: EnvironmentPin, present: EnvironmentPin): PinDifference[] {
  return (Object.keys(labels) as (keyof EnvironmentPin)[]).flatMap((field) => {
    const [before = "", now = ""] = [recorded, present].map((pin) => (field === "platform" ? withoutKernel(pin.platform) : String(pin[field])));
    return before === now || recorded[field] === undefined ? [] : [{ field, label: labels[field], before, now }];
  });
}

/** What differs between the environment that a run was recorded in and the present one, in words: `PyTorch 2.13.0 → 2.14.0`. */
export function pinDifferences(recorded: EnvironmentPin, present: EnvironmentPin): string[] {
  return differingPinFields(recorded, present).map(({ label, before, now }) => `${label} ${before} → ${now}`);
}
