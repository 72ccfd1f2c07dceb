import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { callbackMethods } from "../../src/bridge/trainer-callback.js";
import { codeBlocks } from "../code-blocks.js";

const text = readFileSync("docs/api.md", "utf8");

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("every program of docs/api.md and docs/scripting.md compiles", () => {
  const programs = [text, readFileSync("docs/scripting.md", "utf8")].flatMap((page) => codeBlocks(page, "ts"));
  expect(programs.length).toBeGreaterThan(4);
  programs.forEach((program, index) => {
    writeFileSync(join(folder, `program-${index + 1}.ts`), `${program}export {};\n`);
  });
  const compilerOptions = { paths: { "bh-bridge": [resolve("src/index.ts")] }, typeRoots: [resolve("node_modules/@types")] };
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: resolve("tsconfig.json"), compilerOptions, include: ["*.ts"] }));
  const { stdout, status } = spawnSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", folder], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});

test("docs/api.md names every observer", () => {
  expect(Object.values(callbackMethods).filter((method) => !text.includes(`\`${method}\``))).toEqual([]);
});
