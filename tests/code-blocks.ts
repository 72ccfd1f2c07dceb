/** The code of a Markdown page in one language, block by block. */
export function codeBlocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map((match) => match[1] ?? "");
}

/** The lines of a page's shell blocks, in their order, without the notes behind them. */
function shellLines(page: string): string[] {
  return codeBlocks(page, "sh").flatMap((block) =>
    block
      .trim()
      .split("\n")
      .map((line) => line.replace(/\s+#.*$/, "")),
  );
}

/** The arguments of our own commands among them: `["presets", "show", "quick", ">", "file"]`. */
export function ownCommands(page: string): string[][] {
  return shellLines(page).flatMap((line) => (line.startsWith("npx bh-bridge ") ? [line.split(" ").slice(2)] : []));
}
