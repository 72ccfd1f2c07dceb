import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { runFiles } from "./run-layout.js";

/** The state of the repository that contains the current folder. */
export const gitStateSchema = z.strictObject({
  commit: z.string(),
  /** Whether tracked files differ from the commit, or untracked files exist. */
  dirty: z.boolean(),
  branch: z.string().nullable(),
  /** Names of untracked files that are not ignored. */
  untracked: z.array(z.string()),
  /** Name of the patch file in the run; null without differences from the commit. */
  patch: z.string().nullable(),
  /** The patch was cut off at the limit. */
  patch_truncated: z.boolean(),
});
type GitState = z.output<typeof gitStateSchema>;

/** A repository's state, and its differences from the commit as a patch. */
export interface RepositoryState {
  state: GitState;
  patch: string;
}

/** A repository on a slow disk does not delay a run: after this time its state is not recorded. */
const timeoutMs = 3000;
/** Changes by hand have some kB; generated files could make a patch as large as the repository. */
const maxPatchCharacters = 1 << 20;
/** Maximum number of untracked names; a folder of data can have millions. */
const maxUntracked = 200;
/** Files that contain secrets by convention are excluded from the patch. */
const secrets = [".env", ".env.*", "*.pem", "*.key", "*.p12", "id_rsa*", "id_ed25519*", "*credentials*", "*secret*", ".npmrc", ".netrc", ".pypirc"];

/** The state of the repository of the current folder; null outside a repository, or without git. Programs of its configuration are not run. */
export async function repositoryState(cwd: string = process.cwd()): Promise<RepositoryState | null> {
  const env = { GIT_NO_LAZY_FETCH: "1", GIT_OPTIONAL_LOCKS: "0", ...(await withoutFilters(cwd)) };
  const options = { cwd, env, reject: false, timeout: timeoutMs, stdin: "ignore", stripFinalNewline: false, maxBuffer: maxPatchCharacters } as const;
  const git = async (...args: string[]) => execa("git", ["-c", "core.quotePath=false", "-c", "core.fsmonitor=false", ...args], options);
  const excluded = secrets.flatMap((pattern) => [`:(exclude,top,icase)${pattern}`, `:(exclude,top,icase)**/${pattern}`]);
  const [commit, branch, status, diff] = await Promise.all([
    git("rev-parse", "HEAD"),
    git("symbolic-ref", "--short", "--quiet", "HEAD"),
    git("status", "--porcelain", "-z", "--untracked-files=all"),
    git("diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--", ":(top)", ...excluded),
  ]);
  if (commit.failed || (status.failed && !status.isMaxBuffer)) return null;
  const entries = status.stdout.split("\0").filter((entry) => entry !== "");
  const patch = diff.failed && !diff.isMaxBuffer ? "" : diff.stdout;
  return {
    patch,
    state: {
      commit: commit.stdout.trim(),
      dirty: entries.length > 0,
      branch: branch.stdout.trim() || null,
      untracked: entries
        .filter((entry) => entry.startsWith("?? "))
        .map((entry) => entry.slice(3))
        .slice(0, maxUntracked),
      patch: patch === "" ? null : runFiles.patch,
      patch_truncated: diff.isMaxBuffer === true,
    },
  };
}

/** Environment variables that disable the filters of the repository's configuration, but not those of the user's (Git LFS). */
async function withoutFilters(cwd: string): Promise<Record<string, string>> {
  const args = ["config", "--show-scope", "--name-only", "-z", "--get-regexp", String.raw`^filter\..*\.(clean|process|required)$`];
  const { stdout } = await execa("git", args, { cwd, reject: false, timeout: timeoutMs, stdin: "ignore" });
  const fields = stdout.split("\0");
  const names = fields.filter((_, index) => index % 2 === 1 && ["local", "worktree"].includes(fields[index - 1] ?? ""));
  const first = Number(process.env["GIT_CONFIG_COUNT"] ?? 0);
  const pairs = [...new Set(names)].map((name, index) => ({
    [`GIT_CONFIG_KEY_${first + index}`]: name,
    [`GIT_CONFIG_VALUE_${first + index}`]: name.endsWith(".required") ? "false" : "",
  }));
  return Object.assign({ GIT_CONFIG_COUNT: String(first + pairs.length) }, ...pairs) as Record<string, string>;
}

const packageSchema = z.object({ version: z.string() });

/**
 * The environment of Node: its version, the machine, the versions of all dependencies. Python writes its own.
 * @param dependencies names of the packages.
 */
export function nodeEnvironment(dependencies: readonly string[]) {
  const [processor] = cpus();
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    processor: processor?.model ?? null,
    cores: cpus().length,
    memoryBytes: totalmem(),
    packages: Object.fromEntries(dependencies.map((name) => [name, installedVersion(name)])),
  };
}

/** The version of an installed package, null if it cannot be found. */
function installedVersion(name: string): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return packageSchema.parse(JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8"))).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") return null;
    }
  }
  return null;
}
