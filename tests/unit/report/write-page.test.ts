import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { section } from "../../../src/report/page.js";
import { writeHtml, writeMarkdown } from "../../../src/report/write-page.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const page = { title: "mine", verdict: null, summary: [], sections: [section("Nothing")], data: {} };

test("a report is written again over a report, and over nothing else", () => {
  const folder = temporaryDirectory();
  for (const [name, write] of [
    ["a.html", () => writeHtml(join(folder, "a.html"), page)],
    ["a.md", () => writeMarkdown(join(folder, "a.md"), "# mine\n")],
  ] as const) {
    write();
    write();
    expect(readFileSync(join(folder, name), "utf8")).toContain("mine");
    writeFileSync(join(folder, name), "not ours");
    expect(write).toThrow("is no report of bh-bridge");
    expect(readFileSync(join(folder, name), "utf8")).toBe("not ours");
  }
});
