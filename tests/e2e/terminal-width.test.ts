import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { projectRoot, python, temporaryFolder, warmPython } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
writeFileSync(join(folder.path, "text"), "All work and no play makes Jack a dull boy.\n".repeat(40));

/** What the program draws on a terminal with so many columns, line by line; what was drawn over counts as a line of its own. */
async function drawn(columns: number, ...args: string[]): Promise<string[]> {
  const script = join(projectRoot, "tests/e2e/terminal_of_width.py");
  const { stdout } = await execa(python, [script, String(columns), process.execPath, join(projectRoot, "dist/cli.js"), ...args], {
    cwd: folder.path,
    reject: false,
    stdin: "ignore",
    env: { CI: undefined, BH_BRIDGE_PYTHON: warmPython, TERM: "xterm" },
  });
  return stdout
    .replaceAll("\u001b[1G", "\n")
    .split(/[\r\n]+/)
    .map((line) => stripVTControlCharacters(line).trimEnd());
}

/** Whether a line is a command or a path, which stays whole so that it can be copied. */
function isWhole(line: string): boolean {
  return /(?:^|^\$ |: {2,3})(?:(?:npx )?bh-bridge|node \S+cli\.js) /.test(line.trim()) || line.includes(folder.path) || /^\S+$/.test(line.trim());
}

const training = ["train", "--corpus", "text", "--steps", "3", "--device", "cpu", "--out", "r"];

test.each([
  [60, "1"],
  [100, "5"],
])(
  "a training fits a terminal of %i columns, says its phases, its verdict first and its pitfalls last, and how to measure too many threads",
  async (columns, threads) => {
    const lines = await drawn(columns, ...training, "--threads", threads);
    const text = lines.join("\n");
    expect(lines.filter((line) => line.length > columns && !isWhole(line))).toEqual([]);
    expect(text).toMatch(/importing PyTorch/);
    const order = ["Verdict", "Black-hole analysis", "Training loss", "Summary", "Pitfalls as in the notebook", "Analyse it with"].map((part) =>
      text.indexOf(part),
    );
    expect(
      order.every((position) => position >= 0),
      JSON.stringify(order),
    ).toBe(true);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    // Such a model can use one.
    expect(/Training on 5 CPU threads.*cli\.js doctor --measure/.test(text.replaceAll(/\s+/g, " "))).toBe(threads === "5");
  },
);

test.each([60, 100])("lists, settings and help fit a terminal of %i columns", async (columns) => {
  for (const args of [["runs", "--out", "r"], ["presets"], ["--help"], ["train", "--help"], ["config", "diff", "quick", "clean"]]) {
    const lines = await drawn(columns, ...args);
    expect(
      lines.filter((line) => line.length > columns && !isWhole(line)),
      args.join(" "),
    ).toEqual([]);
    expect(lines.join("")).not.toBe("");
    if (args[0] === "runs") expect(lines.join("\n")).toContain("rmsnorm");
  }
});
