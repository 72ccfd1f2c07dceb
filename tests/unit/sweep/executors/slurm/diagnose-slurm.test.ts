import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { diagnoseSlurm } from "../../../../../src/sweep/executors/slurm/diagnose-slurm.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";

afterEach(() => void vi.unstubAllEnvs());

/** What SLURM 24.11 answers where everything is well; sbatch, squeue and scancel tell their version alone. */
const well = {
  scontrol: 'case "$1" in ping) echo "Slurmctld(primary) at head is UP";; *) echo "AuthType                = auth/munge";; esac',
  sinfo: 'echo "main*|up|1:00:00|2|idle"; echo "main*|up|1:00:00|1|down*"; echo "gpu|down|infinite|4|drained"',
  srun: 'while [ "$1" != sh ]; do shift; done; "$@"',
};

/** Programs in the place of SLURM's, which are not there otherwise. */
function slurmThatSays(said: Partial<Record<keyof typeof well, string>>): void {
  const folder = temporaryDirectory();
  for (const name of ["sbatch", "squeue", "scancel", ...Object.keys(well)] as const) {
    const says = { ...well, ...said }[name as keyof typeof well] ?? "";
    writeFileSync(join(folder, name), `#!/bin/sh\nif [ "$1" = --version ]; then echo "slurm 24.11.5"; exit; fi\n${says}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
}

const look = (folder = "/") => diagnoseSlurm({ python: "/bin/sh", folder, options: [] });

test("where all is well, each part says what it is", async () => {
  slurmThatSays({ srun: `${well.srun.replace('"$@"', "")} echo node7; echo "Python 3.13.5"; echo v20.20.2` });
  expect((await look()).map(({ ok, found, fix }) => [ok, found, fix])).toEqual([
    [true, "24.11.5", null],
    [true, "Slurmctld(primary) at head is UP", null],
    [true, "auth/munge", null],
    [true, "main (the default): 2 nodes, at most 1:00:00; gpu: not up, no time limit", null],
    [true, "node7: Python 3.13.5, Node.js v20.20.2, the package and the folder", null],
  ]);
});

test("a machine without SLURM is one failed check", async () => {
  vi.stubEnv("PATH", temporaryDirectory());
  expect(await look()).toEqual([
    {
      name: "SLURM commands",
      ok: false,
      found: expect.stringContaining("is not on the PATH"),
      expected: "sbatch, squeue, scontrol, scancel, sinfo, srun",
      fix: expect.stringContaining("--emit-only"),
    },
  ]);
});

test.each([
  ["SLURM controller", { scontrol: 'echo "Slurmctld(primary) at head is DOWN"; exit 1' }, "is DOWN", "systemctl start slurmctld"],
  [
    "SLURM credentials",
    { scontrol: '[ "$1" = ping ] || { echo "error: If munged is up, restart with --num-threads=10" >&2; exit 1; }' },
    "munged",
    "systemctl start munge",
  ],
  ["SLURM partitions", { sinfo: 'echo "main*|up|infinite|3|drained"' }, "main (the default): 0 nodes", "State=RESUME"],
  [
    "SLURM tasks",
    { srun: 'echo "srun: error: Unable to allocate resources: Requested nodes are busy" >&2; exit 1' },
    "nodes are busy",
    "--sbatch-option partition=short",
  ],
])("%s that is not well is the last check, with what mends it", async (name, said, found, fix) => {
  slurmThatSays(said);
  const checks = await look();
  expect(checks.slice(0, -1).every(({ ok }) => ok)).toBe(true);
  expect(checks.at(-1)).toMatchObject({ name, ok: false, found: expect.stringContaining(found), fix: expect.stringContaining(fix) });
});

test("what a task does not see is named", async () => {
  slurmThatSays({});
  expect((await look("/no/such/folder")).at(-1)).toMatchObject({
    name: "SLURM tasks",
    ok: false,
    found: expect.stringMatching(/does not see \/no\/such\/folder$/),
    fix: expect.stringContaining("under the same path"),
  });
});
