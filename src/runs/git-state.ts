import { execa } from "execa";

/** The commit that a run was started from, and whether files differed from it. */
export interface GitState {
  commit: string;
  dirty: boolean;
}

/** A run is not held up by a repository on a slow disk: without an answer by then, its state is not recorded. */
const timeoutMs = 3000;

/** The state of the repository that holds the current folder; null outside of one, or without git. */
export async function gitState(cwd: string = process.cwd()): Promise<GitState | null> {
  const git = async (...args: string[]) => execa("git", args, { cwd, reject: false, timeout: timeoutMs, stdin: "ignore" });
  const [commit, status] = await Promise.all([git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no")]);
  return commit.failed || status.failed ? null : { commit: commit.stdout, dirty: status.stdout !== "" };
}
