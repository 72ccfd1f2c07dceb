import { formatResolved } from "../../config/format-resolved.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import type { Terminal } from "../terminal/terminal.js";
import { configDocument } from "./config-document.js";

/** Print a complete configuration with the origin of each value. */
export function printConfig(resolved: ResolvedConfig, terminal: Terminal): void {
  terminal.print(formatResolved(resolved, terminal.color));
  terminal.document(configDocument(resolved));
}
