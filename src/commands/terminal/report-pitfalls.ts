import type { Trap } from "../../runner/traps.js";
import type { Terminal } from "./terminal.js";

/** Print the pitfalls of what is about to be trained on stderr, a line for each with the setting that corrects it; nothing where there is none. */
export function reportPitfalls(traps: readonly Trap[], terminal: Terminal): void {
  if (traps.length === 0) return;
  const widest = Math.max(...traps.map(({ what }) => what.length));
  const lines = traps.map(({ what, corrected }) => `  ${what.padEnd(widest)}  ${terminal.messageColor.dim(corrected)}`);
  terminal.say(["Pitfalls of this configuration, each with the setting that corrects it:", ...lines].join("\n"));
}
