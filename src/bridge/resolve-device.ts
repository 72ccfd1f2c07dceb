import { BhBridgeError } from "../errors.js";
import type { PythonEnvironment } from "../protocol/operations.js";

/** A device as PyTorch will use it, and the name under which a run records it. */
export interface ResolvedDevice {
  kind: "cpu" | "cuda" | "mps";
  /** `cpu`, `mps`, or `cuda: NVIDIA H100`: bits differ between GPUs of different make. */
  label: string;
}

/**
 * Choose the device that a configuration asks for. `cuda:N` has been made the only visible GPU when Python started.
 *
 * @throws {BhBridgeError} `DEVICE_UNAVAILABLE`, naming what is there.
 */
export function resolveDevice(wanted: string, { devices }: PythonEnvironment): ResolvedDevice {
  const [gpu] = devices.cuda;
  const cuda: ResolvedDevice | undefined = gpu === undefined ? undefined : { kind: "cuda", label: `cuda: ${gpu}` };
  const mps: ResolvedDevice | undefined = devices.mps ? { kind: "mps", label: "mps" } : undefined;
  const cpu: ResolvedDevice = { kind: "cpu", label: "cpu" };
  if (wanted === "auto") return cuda ?? mps ?? cpu;
  const found = wanted === "cpu" ? cpu : wanted === "mps" ? mps : cuda;
  if (found) return found;
  const there = [cuda, mps, cpu].flatMap((device) => device?.label ?? []).join(", ");
  throw new BhBridgeError(
    "DEVICE_UNAVAILABLE",
    `device ${wanted} is not available: PyTorch sees ${there}. Choose one of them with device (--device on the command line), or run "bh-bridge doctor"`,
  );
}
