import { join } from "node:path";

/** Path of the interpreter of a virtual environment. */
export function interpreterOf(directory: string): string {
  return join(directory, "bin", "python");
}
