/** How progress goes to stderr: drawn on a terminal and in plain lines elsewhere, in plain lines, in lines of JSON, or not at all. */
export const progressModes = ["auto", "plain", "json", "none"] as const;
export type ProgressMode = (typeof progressModes)[number];

/** What `--progress` of a command line says, before it is parsed, or where it cannot be. Imports nothing, as `shownError`. */
export function progressModeOf(argv: readonly string[]): ProgressMode {
  const given = argv.flatMap((word, at) => (word === "--progress" ? [argv[at + 1]] : word.startsWith("--progress=") ? [word.slice("--progress=".length)] : []));
  return progressModes.find((mode) => mode === given.at(-1)) ?? "auto";
}
