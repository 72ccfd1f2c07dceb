import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize, resolve, sep } from "node:path";
import { expect, onTestFinished, test } from "vitest";

/** What each folder of src may import beside itself and errors.ts. The second account of what biome.json says; the two are compared below. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  text: [],
  config: ["text"],
  protocol: ["config", "text"],
  formats: ["text"],
  analysis: ["formats", "protocol", "text"],
  bridge: ["config", "protocol", "text"],
  runs: ["analysis", "formats", "config", "protocol", "text"],
  training: ["runs", "analysis", "bridge", "formats", "config", "protocol", "text"],
  experiment: ["training", "runs", "analysis", "bridge", "formats", "config", "protocol", "text"],
  commands: ["experiment", "training", "runs", "analysis", "bridge", "formats", "config", "protocol", "text"],
};
const folders = Object.keys(mayImport);

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && !file.includes(join("kernels", "assembly")));

const importPattern = /(?:from|import\()\s*"([^"]+)"/g;

/** The modules that a file of src names, those of the project as paths from src. */
function importsOf(file: string): string[] {
  const names = [...readFileSync(join("src", file), "utf8").matchAll(importPattern)].map(([, name = ""]) => name);
  return names.map((name) => (name.startsWith(".") ? normalize(join(dirname(file), name)) : name));
}

const folderOf = (path: string) => (path.includes(sep) ? (path.split(sep)[0] ?? "") : "");

test("every folder of src has a rule, and every rule a folder", () => {
  const found = readdirSync("src", { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  expect(found.sort()).toEqual([...folders].sort());
});

test("the walk sees the files and their imports", () => {
  expect(files.length).toBeGreaterThan(150);
  expect(importsOf(join("training", "trainer.ts"))).toContain(join("bridge", "python-session.js"));
  expect(importsOf(join("bridge", "transport.ts"))).toContain("node:module");
});

test("imports point down only", () => {
  const wrong = files.flatMap((file) => {
    const folder = folderOf(file);
    const allowed = new Set(["", folder, ...(mayImport[folder] ?? folders)]);
    return importsOf(file)
      .filter((name) => name.includes(sep) && folders.includes(folderOf(name)) && !allowed.has(folderOf(name)))
      .map((name) => `${file} imports ${name}`);
  });
  expect(wrong).toEqual([]);
});

test("below the program itself nothing but errors.ts is imported from the top of src", () => {
  const wrong = files
    .filter((file) => folderOf(file) !== "")
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => name.endsWith(".js") && folderOf(name) === "" && name !== "errors.js")
        .map((name) => `${file} imports ${name}`),
    );
  expect(wrong).toEqual([]);
});

test("pythonia is loaded by one file", () => {
  const loading = files.filter((file) => /(?:from|import\(|require(?:\.resolve)?\()\s*["']pythonia["'/]/.test(readFileSync(join("src", file), "utf8")));
  expect(loading).toEqual([join("bridge", "transport.ts")]);
});

test("what is printed goes through the terminal, which escapes what came from a file; help and the last resort hold nothing of a file", () => {
  const writing = files.filter((file) => /process\.std(?:out|err)\.write|console\./.test(readFileSync(join("src", file), "utf8")));
  expect(writing.sort()).toEqual(["cli.ts", join("commands", "program.ts"), join("commands", "terminal.ts")]);
});

/** Words that would switch a check off; spelt in two parts, so that this file has none of them. */
const switches = ["biome", "oxlint", "eslint"].flatMap((tool) => [`${tool}-ignore`, `${tool}-disable`]).concat("@ts-" + "ignore", "@ts-" + "nocheck");

test("no check is switched off anywhere in src", () => {
  const wrong = files.filter((file) => switches.some((word) => readFileSync(join("src", file), "utf8").includes(word)));
  expect(wrong).toEqual([]);
});

/** A project of one file for each import, below the rules of this one, and what the lint says of each file. */
function lintImports(imports: readonly (readonly [file: string, imported: string])[]): Map<string, string[]> {
  const project = mkdtempSync(join(tmpdir(), "bh-bridge-layering-"));
  onTestFinished(() => rmSync(project, { recursive: true }));
  copyFileSync("biome.json", join(project, "biome.json"));
  for (const [file, imported] of imports) {
    mkdirSync(join(project, dirname(file)), { recursive: true });
    writeFileSync(join(project, file), `import { thing } from "${imported}";\n\nexport const other = thing;\n`);
  }
  const options = ["lint", "--vcs-enabled=false", "--max-diagnostics=none", "--reporter=json", "--only=style/noRestrictedImports", "src"];
  const { stdout } = spawnSync(process.execPath, [resolve("node_modules/@biomejs/biome/bin/biome"), ...options], { cwd: project, encoding: "utf8" });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { location: { path: string }; message: string; advices?: unknown }[] };
  return new Map(imports.map(([file]) => [file, diagnostics.filter(({ location }) => location.path.endsWith(file)).map((found) => JSON.stringify(found))]));
}

test("the lint refuses what the rules above forbid, allows what they allow, and names its own file", () => {
  const pairs = folders.flatMap((folder) => folders.filter((other) => other !== folder).map((other) => [folder, other] as const));
  const fileOf = (folder: string, other: string) => `src/${folder}/probe-${other}.ts`;
  const said = lintImports(pairs.map(([folder, other]) => [fileOf(folder, other), `../${other}/thing.js`]));
  const isAbove = (folder: string, other: string) => mayImport[other]?.includes(folder) === true;
  for (const [folder, other] of pairs) {
    const findings = said.get(fileOf(folder, other)) ?? [];
    if (mayImport[folder]?.includes(other)) expect(findings, `${folder} may import ${other}`).toEqual([]);
    else if (isAbove(folder, other)) expect(findings.join(), `${folder} may not import ${other}`).toContain("biome.json");
  }
  expect(pairs.filter(([folder, other]) => isAbove(folder, other)).length).toBeGreaterThan(20);
});

test("the lint refuses pythonia everywhere but in its file", () => {
  const said = lintImports([...folders.map((folder) => [`src/${folder}/probe.ts`, "pythonia"] as const), ["src/bridge/transport.ts", "pythonia"]]);
  for (const folder of folders) expect(said.get(`src/${folder}/probe.ts`)?.join(), folder).toContain("transport.ts is the only importer");
  expect(said.get("src/bridge/transport.ts")).toEqual([]);
});

test("every rule of the lint is for a folder that is there", () => {
  const { overrides } = JSON.parse(readFileSync("biome.json", "utf8")) as { overrides: { includes: string[] }[] };
  const paths = overrides.flatMap(({ includes }) => includes).map((glob) => glob.replace(/^!/, "").replace(/\/?\*.*$/, ""));
  expect(paths.filter((path) => path !== "" && !existsSync(path))).toEqual([]);
});
