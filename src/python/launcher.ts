import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./package-root.js";
import { pythonVariables } from "./python-variables.js";

interface LauncherOptions {
  /** The interpreter to run. */
  python: string;
  /** Where Python's stdout and stderr go, from its first byte on. */
  log: string;
}

/**
 * glibc maps and unmaps every large tensor anew, 9,902 page faults a step on the seed's model; with these it keeps its memory: 1 fault a step, same bits.
 * They are read once, before Python's first line runs. Other C libraries ignore them.
 */
export const allocator: Readonly<Record<string, string>> = { MALLOC_MMAP_THRESHOLD_: "1000000000", MALLOC_TRIM_THRESHOLD_: "10000000000" };

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Write the program that pythonia starts in place of Python, and return its path.
 *
 * pythonia lets its child inherit stdin, stdout and stderr: a print would corrupt `--json`, and a crash of the interpreter would leave no trace.
 * The launcher redirects all three before it becomes Python (same process id), ignores SIGINT until Python has left the terminal's process group,
 * and sets an environment that Node itself never has (see `pythonVariables`).
 *
 * @param directory a private folder; the launcher lives and goes with it.
 */
export function writeLauncher(directory: string, options: LauncherOptions): string {
  const path = join(directory, "python");
  const environment = { ...pythonVariables(), ...allocator, PYTHONFAULTHANDLER: "1" };
  const lines = [
    "#!/bin/sh",
    "trap '' INT",
    ...Object.entries(environment).map(([name, value]) => (value === undefined ? `unset ${name}` : `export ${name}=${quote(value)}`)),
    // The folder of pythonia's script is named, as PYTHONSAFEPATH keeps it out. The user's own PYTHONPATH follows: a package of theirs must not hide ours.
    `export PYTHONPATH=${quote(join(packageRoot, "python"))}:"\${1%/*}\${PYTHONPATH:+:$PYTHONPATH}"`,
    `exec ${quote(options.python)} "$@" </dev/null >>${quote(options.log)} 2>&1`,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  chmodSync(path, 0o700);
  return path;
}
