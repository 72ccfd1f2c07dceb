import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { projectRoot, run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const text = readFileSync(join(projectRoot, "README.md"), "utf8");
const commands = [...text.matchAll(/^npx bh-bridge (.*?)\s*(?:#.*)?$/gm)].map((match) => match[1] ?? "");

/** A command as it is cheap to run: what trains for minutes is resolved and printed, what installs says how. */
function argumentsOf(command: string): string[] {
  const args = command.split(" ");
  return [...args, ...(args[0] === "train" && !args.includes("--print-config") ? ["--print-config"] : []), ...(args[0] === "setup" ? ["--help"] : [])];
}

test("the README has commands", () => expect(commands.length).toBeGreaterThan(6));

test.each(commands)("bh-bridge %s", async (command) => {
  writeFileSync(join(folder.path, "my.txt"), "A text of its own, long enough for a window. ".repeat(10));
  const [line = "", file] = command.split(" > ");
  const { exitCode, stdout, stderr } = await run(argumentsOf(line), { cwd: folder.path });
  expect(exitCode, stderr).toBe(0);
  expect(stdout).not.toBe("");
  if (file !== undefined) writeFileSync(join(folder.path, file), stdout);
});

test("its links lead somewhere", () => {
  for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)\)/g)) expect(existsSync(join(projectRoot, target)), target).toBe(true);
});
