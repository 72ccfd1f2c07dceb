import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { BhBridgeError } from "../errors.js";
import { durableWrite } from "../formats/durable-write.js";
import { packageManifest } from "../python/package-manifest.js";
import { markdownTable, markdownText, xmlText } from "../text/escaping.js";
import { htmlOfPage } from "./html-of-page.js";
import type { Block, Page, Section } from "./page.js";
import type { WrittenFigure } from "./write-figures.js";

/** A line with the checksum of all other lines, which proves that a file is an unchanged report. */
interface Seal {
  line(sha256: string): string;
  readonly pattern: RegExp;
  place(text: string): number;
}

const seals = {
  html: {
    line: (sha256) => `<meta name="bh-bridge-sha256" content="${sha256}">\n`,
    pattern: /^<meta name="bh-bridge-sha256" content="([0-9a-f]{64})">\n/m,
    place: (text) => text.indexOf("<title>"),
  },
  md: {
    line: (sha256) => `<!-- made by bh-bridge report, sha256 ${sha256} -->\n`,
    pattern: /^<!-- made by bh-bridge report, sha256 ([0-9a-f]{64}) -->\n(?![\s\S])/m,
    place: (text) => text.length,
  },
} as const satisfies Record<string, Seal>;

export type PageFormat = keyof typeof seals;

/** Write a report as one HTML file. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function writeHtml(path: string, page: Page): void {
  durableWrite(path, sealed(htmlOfPage(page, packageManifest().version), seals.html));
}

/** Write a Markdown report, as `writeHtml`. */
export function writeMarkdown(path: string, markdown: string): void {
  durableWrite(path, sealed(`${markdown}\n`, seals.md));
}

/** Check that a report may be written: the file does not exist or is an unchanged report. @throws {BhBridgeError} `FILE_UNWRITABLE`. */
export function requireOwnPage(path: string, format: PageFormat): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || (found.isFile() && isOwn(path, seals[format]))) return;
  const remedy = "name another file with -o, or replace it with --force";
  throw new BhBridgeError("FILE_UNWRITABLE", `${path} is no report of bh-bridge, or was changed since, and is not replaced: ${remedy}`);
}

function sealed(text: string, seal: Seal): string {
  const at = seal.place(text);
  return text.slice(0, at) + seal.line(sha256Of(text)) + text.slice(at);
}

function isOwn(path: string, { pattern }: Seal): boolean {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return false; // unreadable, or larger than any report
  }
  const found = pattern.exec(text);
  return found !== null && sha256Of(text.slice(0, found.index) + text.slice(found.index + found[0].length)) === found[1];
}

function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A report as Markdown. @param folder of the figures, relative to the file. */
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
    case "story":
      return [
        block.scenes.map(({ title, step, sentences }, at) => `${at + 1}. **${plain(title)}, step ${step}.** ${sentences.map(plain).join(" ")}`).join("\n"),
      ];
    case "replay":
    case "pair":
    case "retraining":
      return [];
  }
}

function plain(text: string): string {
  return markdownText(text).replaceAll(/[_#~]/g, "\\$&");
}
