// Markdown that VitePress and Git hosts render alike.

/** The first line of a generated page, by which its next generation removes it. */
export const generatedBy = "generated: npm run docs:build";

/** A page from its blocks, which may be nested; empty ones are omitted. `head` is its title, or title and `order` among the pages of its folder. */
export function page(head, ...blocks) {
  const { title, order } = typeof head === "string" ? { title: head } : head;
  const front = [generatedBy, ...(order === undefined ? [] : [`order: ${order}`])].join("\n");
  return `---\n${front}\n---\n\n# ${title}\n\n${blocks.flat(Infinity).filter(Boolean).join("\n\n")}\n`;
}

/** Plain text as Markdown: only code in backticks and links keep their meaning. */
export function prose(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 ? part : part.replace(/[\\<>*[\]]|(?<![\p{L}\d])_|_(?![\p{L}\d])/gu, "\\$&").replaceAll("{{", "&#123;&#123;")))
    .join("");
}

/** Inline code, also with backticks in it. */
export function code(text) {
  const fence = text.includes("`") ? "``" : "`";
  return fence === "`" ? `\`${text}\`` : `${fence} ${text} ${fence}`;
}

/** A table; cells are Markdown, and may have several lines. */
export function table(head, rows) {
  if (rows.length === 0) return "";
  const line = (cells) =>
    `| ${cells
      .map((cell) =>
        String(cell)
          .replaceAll("\n", "<br>")
          .replace(/(?<!\\)\|/g, "\\|"),
      )
      .join(" | ")} |`;
  return [line(head), line(head.map(() => "---")).replaceAll(" ", ""), ...rows.map(line)].join("\n");
}

/** The id of a heading, as on Git hosts. */
export function anchor(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

/** A block of text that is shown as it is. */
export function fenced(text, language = "text") {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
