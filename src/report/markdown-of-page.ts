import { markdownTable, markdownText } from "../text/markdown-table.js";
import { xmlText } from "../text/printable.js";
import type { Block, Page, Section } from "./page.js";
import type { WrittenFigure } from "./write-figures.js";

/** A report as Markdown, with its figures as files beside it. @param folder of the figures, as the Markdown names it */
export function markdownOfPage(page: Page, written: readonly WrittenFigure[], folder: string): string {
  const figures = [...written];
  const parts = [
    `# ${plain(page.title)}`,
    ...(page.verdict ? [`**${page.verdict.result}**: ${plain(page.verdict.reason)}`] : []),
    page.summary.map(([label, text]) => `- **${plain(label)}**: ${plain(text)}`).join("\n"),
    ...page.sections.flatMap((section) => sectionParts(section, figures, folder)),
  ];
  return `${parts.join("\n\n")}\n`;
}

function sectionParts({ title, blocks }: Section, figures: WrittenFigure[], folder: string): string[] {
  if (blocks.some(({ kind }) => kind === "replay")) return []; // paper does not move
  const parts = blocks.flatMap((block) => blockParts(block, figures, folder));
  return parts.length === 0 ? [] : [`## ${plain(title)}`, ...parts];
}

function blockParts(block: Block, figures: WrittenFigure[], folder: string): string[] {
  switch (block.kind) {
    case "text":
      return [plain(block.text)];
    case "list":
      return [block.items.map((item) => `- ${plain(item)}`).join("\n")];
    case "code":
      return [`\`\`\`\n${xmlText(block.text).replaceAll("```", "'''")}\n\`\`\``];
    case "table":
      return [
        markdownTable(
          block.head.map(plain),
          block.rows.map((row) => row.map(plain)),
        ),
      ];
    case "figure": {
      const file = figures.shift()?.files[0];
      return file === undefined
        ? []
        : [`### ${plain(block.figure.title)}`, `![${plain(block.figure.title)}](${encodeURI(`${folder}/${file}`)})`, plain(block.figure.caption)];
    }
    case "replay":
      return [];
  }
}

/** A text that Markdown leaves as it is, on one line: names and tokens are no markup. */
function plain(text: string): string {
  return markdownText(text).replaceAll(/[_#~]/g, "\\$&");
}
