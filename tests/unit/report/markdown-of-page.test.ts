import { expect, test } from "vitest";
import { markdownOfPage } from "../../../src/report/markdown-of-page.js";
import { code, list, section, table, text } from "../../../src/report/page.js";
import { madeUpFigure } from "../figures/made-up-figure.js";

test("a page is headings, tables and pictures, and names are no markup", () => {
  const figure = madeUpFigure([]);
  const page = {
    title: "a [run](x)",
    verdict: { result: "null", reason: "no split" },
    summary: [["Steps", "*5*"]] as const,
    sections: [section("All", text("words"), list(["one"]), table(["a", "b"], [["1", "x|y"]]), code("run it"), { kind: "figure" as const, figure })],
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

### Made up

![Made up](my%20figures/made-up.svg)

Of nothing.
`);
});
