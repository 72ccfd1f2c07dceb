/** A fenced block of a Markdown page. */
export interface Block {
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** The block is saved under this name: that of its first line, as in `# sweep.yaml` or `// train.ts`, or that at the end of the line above it, as in "Save it as `table.csv`:". */
  readonly file: string | undefined;
  /** Why the block is not run: the text of the line below it, `*Not run by the tests: needs a GPU.*`. */
  readonly excuse: string | undefined;
}

/** Beginnings of the reasons that a page may give. */
const reasons = [
  "needs a cluster",
  "needs a GPU",
  "needs the network",
  "takes hours",
  "is interactive",
  "needs your own files",
  "needs a checkout",
  "needs optional packages",
  "is an outline",
];
const excusePattern = /[Nn]ot run by the tests: ([^*)]*?)\.?(?:\*|\)|$)/;
const fileComment = /^(?:#|\/\/) ([\w-]+\.\w+)$/;
const fileAbove = /`([\w-]+\.\w+)`:\n\s*$/;

/** The fenced blocks of a page, in order, including those in lists. */
export function blocksOf(page: string): Block[] {
  const fences = /^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```$(?:\n\s*?\n? *\*(Not run by the tests: [^\n]*)\*$)?/gm;
  return [...page.matchAll(fences)].map((match) => {
    const [, indent = "", language = "", indented = "", excuse] = match;
    const code = indented.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const file = (fileComment.exec(code.split("\n", 1)[0] ?? "") ?? fileAbove.exec(page.slice(0, match.index)))?.[1];
    return { line: page.slice(0, match.index).split("\n").length, language, code, file, excuse: excuse && reasonIn(`${excuse}*`) };
  });
}

/** The reason in a text such as `# submit it (not run by the tests: needs a cluster)`; undefined if there is none. */
function reasonIn(text: string): string | undefined {
  return excusePattern.exec(text)?.[1];
}

/** Whether a reason is one that the tests accept. */
export function isAccepted(reason: string): boolean {
  return reasons.some(
    (beginning) => reason === beginning || reason.startsWith(`${beginning} `) || reason.startsWith(`${beginning},`) || reason.startsWith(`${beginning}:`),
  );
}

/** The Python package without which a block is not run, of the reason "needs optional packages, NAME". */
export function optionalPackageOf({ excuse }: Block): string | undefined {
  return /^needs optional packages, (\w+)$/.exec(excuse ?? "")?.[1];
}

/** Every reason that a page gives, of blocks and of lines. */
export function excusesOf(page: string): string[] {
  return page.split("\n").flatMap((line) => reasonIn(line) ?? []);
}

/** A shell block as a script: without the lines that say that they are not run, and accepting the exit code that a comment announces, as in `# exit code 1`. */
export function scriptOf({ code }: Block): string {
  const lines = code.replaceAll("\\\n", " ").split("\n");
  const run = lines.filter((line) => reasonIn(line) === undefined);
  return run.map((line) => line.replace(/^(.*\S)\s+#.*\bexit code (\d+)\b.*$/, "code=0; $1 || code=$?; test $code -eq $2 -o $code -eq 0")).join("\n");
}

/** The lines of an output that a page shows, as a pattern: in their order, with any text for `…` and for other lines between them. */
export function outputPattern(code: string): RegExp {
  const lines = code
    .trim()
    .split("\n")
    .map((line) => line.trim());
  const escaped = lines
    .filter((line) => line !== "…" && line !== "")
    .map((line) =>
      line
        .split("…")
        .map((part) =>
          part
            .trim()
            .replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")
            .replaceAll(/\s+/g, "\\s+"),
        )
        .join(".*"),
    );
  return new RegExp(escaped.join("[^]*?"));
}
