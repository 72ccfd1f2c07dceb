import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { code, list, section, table, text } from "../../../src/report/page.js";
import { markdownOfPage, requireOwnPage, writeHtml, writeMarkdown } from "../../../src/report/write-page.js";
import { madeUpFigure } from "../figures/made-up-figure.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const page = { title: "mine", verdict: null, summary: [], sections: [section("Nothing")], data: {} };

const formats = [
  ["html", (path: string) => writeHtml(path, page)],
  ["md", (path: string) => writeMarkdown(path, "# mine\n")],
] as const;

test.each(formats)("a report as %s may be replaced as it was written, and not when anything in it was changed", (format, write) => {
  const path = join(temporaryDirectory(), `a.${format}`);
  requireOwnPage(path, format);
  write(path);
  requireOwnPage(path, format);
  const text = readFileSync(path, "utf8");
  expect(text).toContain("mine");
  for (const changed of [
    text.replace("mine", "ours"),
    `${text}\n`,
    ` ${text}`,
    text.slice(0, -1),
    text.repeat(2),
    text.replace(/[0-9a-f]{64}/, "0".repeat(64)),
    "",
  ]) {
    writeFileSync(path, changed);
    expect(() => requireOwnPage(path, format)).toThrow(expect.objectContaining({ code: "FILE_UNWRITABLE", message: expect.stringContaining("--force") }));
  }
});

test.each(formats)("a page that quotes a whole report as %s is none", (format, write) => {
  const path = join(temporaryDirectory(), `a.${format}`);
  write(path);
  writeFileSync(path, `<pre>\n${readFileSync(path, "utf8")}</pre>\n`);
  expect(() => requireOwnPage(path, format)).toThrow(path);
});

test("a folder, a link to one, and a device that never ends are no reports, and are not read", () => {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, "a.html"));
  symlinkSync(join(folder, "a.html"), join(folder, "b.html"));
  for (const path of [join(folder, "a.html"), join(folder, "b.html"), "/dev/full", "/dev/zero"]) {
    expect(() => requireOwnPage(path, "html")).toThrow(expect.objectContaining({ code: "FILE_UNWRITABLE" }));
    expect(() => writeHtml(path, page)).toThrow(`cannot write ${path}: it is not a regular file`);
  }
});

test("a page is headings, tables and pictures, and names are no markup", () => {
  const figure = madeUpFigure([]);
  const scenes = [{ title: "Start", step: 0, sentences: ["All *rows* are equal.", "None is dead."] as const }];
  const page = {
    title: "a [run](x)",
    verdict: { result: "null", reason: "no split" },
    summary: [["Steps", "*5*"]] as const,
    sections: [
      section(
        "All",
        text("words"),
        list(["one"]),
        table(["a", "b"], [["1", "x|y"]]),
        code("run it"),
        { kind: "story" as const, scenes },
        { kind: "figure" as const, figure },
      ),
    ],
    data: {},
  };
  expect(markdownOfPage(page, [{ name: "made-up", title: "Made up", files: ["made-up.svg"] }], "my figures")).toBe(`# a \\[run\\]\\(x)

**null**: no split

- **Steps**: \\*5\\*

## All

words

- one

| a | b |
|---|---|
| 1 | x\\|y |

\`\`\`
run it
\`\`\`

1. **Start, step 0.** All \\*rows\\* are equal. None is dead.

### Made up

![Made up](my%20figures/made-up.svg)

Of nothing.
`);
});
