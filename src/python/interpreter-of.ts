import { join } from "node:path";

/** Path of the interpreter of a virtual environment. */
export function interpreterOf(directory: string): string {
  return process.platform === "win32" ? join(directory, "Scripts", "python.exe") : join(directory, "bin", "python");
}
