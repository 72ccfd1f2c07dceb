import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import envPaths from "env-paths";
import { packageRoot } from "./package-root.js";

/**
 * The folder of the virtual environment that `bh-bridge setup` makes: `.venv` in a checkout, and in the user's data folder for an installed
 * package, whose own folder npm replaces at every update.
 */
export function environmentDirectory(root: string = packageRoot): string {
  const isCheckout = existsSync(join(root, ".git")) || !root.includes(`${sep}node_modules${sep}`);
  return isCheckout ? join(root, ".venv") : join(envPaths("bh-bridge", { suffix: "" }).data, "venv");
}
