import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeBlocks } from "../code-blocks.js";
import { projectRoot, python, temporaryFolder, warmPython } from "./program.js";

/**
 * Every `sh` block of docs/bring-your-own.md runs with exit code 0, in one folder, in the order of the page. `make_what_people_bring.py` makes the files that the
 * recipes name; blocks may use the results of earlier ones. A block whose first line is `# not run` is not run (say why on the page).
 */
const page = readFileSync(join(projectRoot, "docs/bring-your-own.md"), "utf8");
const blocks = codeBlocks(page, "sh").filter((block) => !block.startsWith("# not run"));
let folder: ReturnType<typeof temporaryFolder>;

beforeAll(async () => {
  folder = temporaryFolder();
  await execa(python, [join(projectRoot, "tests/e2e/make_what_people_bring.py"), folder.path]);
}, 120_000);
afterAll(() => folder[Symbol.dispose]());

it.each(blocks)("the recipe runs: %s", { timeout: 180_000 }, async (block) => {
  const own = `${JSON.stringify(process.execPath)} ${JSON.stringify(join(projectRoot, "dist/cli.js"))} `;
  const { exitCode, all } = await execa("bash", ["-ec", block.replaceAll("npx bh-bridge ", own)], {
    cwd: folder.path,
    env: { BH_BRIDGE_PYTHON: warmPython, OMP_NUM_THREADS: "1" },
    stdin: "ignore",
    reject: false,
    all: true,
  });
  expect(exitCode, String(all)).toBe(0);
});
