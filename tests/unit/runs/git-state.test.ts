import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeEnvironment, repositoryState } from "../../../src/runs/git-state.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** A repository with one commit of a file `a`. */
function repository(): string {
  const directory = temporaryDirectory();
  git(directory, "init", "-q", "-b", "trunk");
  mkdirSync(join(directory, "deep"));
  writeFileSync(join(directory, "a"), "1\n");
  writeFileSync(join(directory, ".env"), "KEY=old\n");
  git(directory, "add", ".");
  git(directory, "commit", "-qm", "first");
  return directory;
}

test("a clean repository: its commit and branch, and no patch", async () => {
  const directory = repository();
  expect(await repositoryState(directory)).toEqual({
    patch: "",
    state: { commit: git(directory, "rev-parse", "HEAD"), dirty: false, branch: "trunk", untracked: [], patch: null, patch_truncated: false },
  });
});

test("changes of the whole repository are told from a folder in it, untracked files by name, and secrets not at all", async () => {
  const directory = repository();
  writeFileSync(join(directory, "a"), "2\n");
  writeFileSync(join(directory, ".env"), "KEY=hunter2\n");
  writeFileSync(join(directory, "ä new"), "");
  const there = await repositoryState(join(directory, "deep"));
  expect(there?.state).toMatchObject({ dirty: true, patch: "repository.patch", patch_truncated: false });
  expect(there?.state.untracked).toEqual(["ä new"]);
  expect(there?.patch).toContain("-1\n+2\n");
  expect(there?.patch).not.toContain("hunter2");
});

test("no program that the repository's configuration or attributes name is run", async () => {
  const directory = repository();
  const marker = join(temporaryDirectory(), "executed");
  const program = `touch '${marker}'; cat`;
  for (const key of ["core.fsmonitor", "filter.mine.clean", "filter.a=b.clean", "diff.mine.textconv", "diff.external"]) git(directory, "config", key, program);
  for (const name of ["mine", "a=b"]) git(directory, "config", `filter.${name}.required`, "true");
  writeFileSync(join(directory, ".git/info/attributes"), "a filter=mine diff=mine\n.env filter=a=b\ndeep/* filter=mine\n");
  writeFileSync(join(directory, "a"), "2\n");
  writeFileSync(join(directory, ".env"), "KEY=new\n");
  expect((await repositoryState(directory))?.patch).toContain("-1\n+2\n");
  expect(existsSync(marker)).toBe(false);
  execFileSync("git", ["status"], { cwd: directory, stdio: "ignore" });
  expect(existsSync(marker), "git itself runs them").toBe(true);
});

test("a patch that is too long ends at its limit, and says so", async () => {
  const directory = repository();
  writeFileSync(join(directory, "a"), "x".repeat(3 << 20));
  const there = await repositoryState(directory);
  expect(there?.state.patch_truncated).toBe(true);
  expect(there?.patch.length).toBeLessThanOrEqual(1 << 20);
});

test("a detached commit has no branch, and outside of a repository there is nothing", async () => {
  const directory = repository();
  git(directory, "checkout", "-q", "--detach");
  expect((await repositoryState(directory))?.state.branch).toBeNull();
  expect(await repositoryState(temporaryDirectory())).toBeNull();
});

const installed = (name: string) => (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string }).version;

test("packages have the versions that are installed, also those that show nobody their package.json; what is not there has none", () => {
  expect(nodeEnvironment(["zod", "execa", "@petamoriken/float16", "no-such-package"]).packages).toEqual({
    zod: installed("zod"),
    execa: installed("execa"),
    "@petamoriken/float16": installed("@petamoriken/float16"),
    "no-such-package": null,
  });
});

test("the machine is the one that Node and the system tell of, in plain data", () => {
  const environment = nodeEnvironment([]);
  const node = execFileSync(process.execPath, ["-p", "[process.version, process.platform, process.arch].join()"], { encoding: "utf8" }).trim();
  expect([environment.node, ...environment.platform.split("-")].join()).toBe(node);
  expect(environment.cores).toBeGreaterThan(0);
  expect(environment.memoryBytes).toBeGreaterThan(2 ** 20);
  expect(JSON.parse(JSON.stringify(environment))).toEqual(environment);
});
