import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { execa, execaSync } from "execa";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/commands/run-program.js";
import { projectRoot } from "./program.js";

const folder = join(projectRoot, "dist/man");
const files = readdirSync(folder).sort();
const program = await createProgram();

test("package.json lists a page for the program and for each of its commands", () => {
  const { man } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { man: string[] };
  const names = ["bh-bridge.1", ...program.commands.map((command) => `bh-bridge-${command.name()}.1`)];
  expect(files).toEqual(names.sort());
  expect(man).toEqual(files.map((file) => `./dist/man/${file}`));
});

test("no page has a date", () => {
  for (const file of files) expect(readFileSync(join(folder, file), "utf8")).toMatch(/^\.TH "[A-Z\\-]+" "1" "" "bh-bridge [\d.]+" "bh-bridge"\n/);
});

function plain(command: Command): { description: string; options: string[] } {
  return { description: command.description(), options: command.options.map(({ flags }) => flags) };
}

const hasMan = execaSync("man", ["--version"], { reject: false }).exitCode === 0;

describe.skipIf(!hasMan)("man", () => {
  /** A page as a reader sees it, on a line that is wide enough for every option. */
  async function rendered(file: string): Promise<string> {
    const env = { LC_ALL: "C.UTF-8", MANWIDTH: "400", MANPAGER: "cat" };
    const { stdout, stderr } = await execa("man", ["--warnings", "--no-hyphenation", "--local-file", join(folder, file)], { env });
    expect(stderr, file).toBe("");
    return stdout.replaceAll(/ +/g, " ").replaceAll("‐", "-");
  }

  test("renders every page without a warning", async () => {
    for (const file of files) expect(await rendered(file), file).toContain("SEE ALSO");
  });

  test("shows every option, argument and example of a command and its subcommands", async () => {
    const [runs] = program.commands.filter((command) => command.name() === "runs");
    const page = await rendered("bh-bridge-runs.1");
    for (const { options, description } of [runs, ...(runs?.commands ?? [])].filter((command) => command !== undefined).map(plain)) {
      expect(page).toContain(description);
      for (const flags of options) expect(page).toContain(` ${flags}`);
    }
    expect(page).toContain("$ bh-bridge runs --where 'status:completed seed>=42' --sort -loss");
  });
});
