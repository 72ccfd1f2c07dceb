import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { invocation, runnable } from "../../../../src/commands/terminal/invocation.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const at = temporaryDirectory();

/** A folder with a program `bh-bridge` in it. */
function folderWith(name: string, target: string): string {
  const folder = join(at, name);
  mkdirSync(folder, { recursive: true });
  symlinkSync(target, join(folder, "bh-bridge"));
  return folder;
}

test("inside another program, commands are written with the name of this one", () => {
  expect(invocation({ script: "/usr/bin/vitest" })).toBe("bh-bridge");
  expect(runnable("Continue:  bh-bridge resume x")).toBe("Continue:  bh-bridge resume x");
});

test("a local installation is started by npx, a global one by its name, a checkout by node", async () => {
  const build = join(import.meta.dirname, "../../../../dist");
  const probe = join(at, "probe.mjs");
  writeFileSync(
    probe,
    `const { invocation, runnable } = await import(${JSON.stringify(join(build, "commands/terminal/invocation.js"))});
const [script, path, cwd] = process.argv.slice(2);
console.log(invocation({ script, env: { PATH: path }, cwd }));`,
  );
  const own = join(build, "cli.js");
  chmodSync(own, 0o755);
  const asked = async (script: string, path: string, cwd: string) => (await execa(process.execPath, [probe, script, path, cwd])).stdout;
  const bin = folderWith("global/bin", own);
  const local = folderWith("app/node_modules/.bin", own);
  expect(await asked(join(bin, "bh-bridge"), bin, at)).toBe("bh-bridge");
  expect(await asked(join(local, "bh-bridge"), `${local}:/usr/bin`, at)).toBe("npx bh-bridge");
  expect(await asked(own, "/usr/bin", join(build, ".."))).toBe("node dist/cli.js");
});

test("only commands are rewritten, and none twice", () => {
  for (const text of ["npx bh-bridge runs", "/x/bh-bridge runs", "bh-bridge 0.2.0", "the server that bh-bridge started"]) expect(runnable(text)).toBe(text);
});
