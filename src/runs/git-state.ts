import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { runFiles } from "./run-layout.js";

/** Where the code around a run came from: the repository that holds the current folder. */
export const gitStateSchema = z.strictObject({
  commit: z.string(),
  /** Whether tracked files differed from the commit, or files were there that git does not know. */
  dirty: z.boolean(),
  branch: z.string().nullable(),
  /** Files that git does not know and does not ignore: their names only. */
  untracked: z.array(z.string()),
  /** Name of the file in the run that holds what differs from the commit; null when nothing does. */
  patch: z.string().nullable(),
  /** The patch was longer than the limit, and ends there. */
  patch_truncated: z.boolean(),
});
type GitState = z.output<typeof gitStateSchema>;

/** A repository's state, and the difference from its commit as a patch. */
export interface RepositoryState {
  state: GitState;
  patch: string;
}

/** A run is not held up by a repository on a slow disk: without an answer by then, its state is not recorded. */
const timeoutMs = 3000;
/** A patch is for reading what was changed by hand, some kB; generated files would make it as large as the repository. */
const maxPatchCharacters = 1 << 20;
/** Names of untracked files to keep; a folder of data that nobody ignores can have millions. */
const maxUntracked = 200;
/** Files that hold secrets by convention are left out of the patch. */
const secrets = [".env", ".env.*", "*.pem", "*.key", "*.p12", "id_rsa*", "id_ed25519*", "*credentials*", "*secret*", ".npmrc", ".netrc", ".pypirc"];

/** The state of the repository that holds the current folder; null outside of one, or without git. No program that its configuration names is run. */
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

/** Environment variables that switch off the filters of the repository's own configuration; those of the user's (Git LFS) stay on. */
async function withoutFilters(cwd: string): Promise<Record<string, string>> {
  const args = ["config", "--show-scope", "--name-only", "-z", "--get-regexp", String.raw`^filter\..*\.(clean|process|required)$`];
  const { stdout } = await execa("git", args, { cwd, reject: false, timeout: timeoutMs, stdin: "ignore" });
  const fields = stdout.split("\0");
  const names = fields.filter((_, place) => place % 2 === 1 && ["local", "worktree"].includes(fields[place - 1] ?? ""));
  const first = Number(process.env["GIT_CONFIG_COUNT"] ?? 0);
  const pairs = [...new Set(names)].map((name, place) => ({
    [`GIT_CONFIG_KEY_${first + place}`]: name,
    [`GIT_CONFIG_VALUE_${first + place}`]: name.endsWith(".required") ? "false" : "",
  }));
  return Object.assign({ GIT_CONFIG_COUNT: String(first + pairs.length) }, ...pairs) as Record<string, string>;
}

const packageSchema = z.object({ version: z.string() });

/**
 * What Node's side of a run was: its version, the machine, the version of every package that ours depends on. Python writes its own beside it.
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

/** The version of an installed package; null when it cannot be found, which concerns no run. */
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
