import type { ExecutorKind } from "../executor.js";
import type { SlurmOptions } from "./slurm-executor.js";

const openJobs = () => import("./slurm-commands.js");

export const slurm: ExecutorKind<SlurmOptions> = {
  title: "SLURM",
  options: [
    {
      flags: "--sbatch-option <key=value>",
      field: "sbatchOptions",
      value: "texts",
      description: "for --executor slurm: sbatch option, for example partition=short; may be repeated",
      isDiagnosed: true,
    },
    {
      flags: "--jobs <n>",
      field: "jobs",
      value: "number",
      description: "for --executor slurm: number of array tasks, each with --workers trials in parallel",
    },
    { flags: "--emit-only", field: "emitOnly", value: "switch", description: "for --executor slurm: write the script for sbatch without submitting it" },
    {
      flags: "--detach",
      field: "detach",
      value: "switch",
      description: "for --executor slurm: submit and exit; run the same command again to follow the trials",
    },
  ],
  async create(python, { sbatchOptions, jobs, emitOnly, detach }) {
    const { SlurmExecutor } = await import("./slurm-executor.js");
    return new SlurmExecutor(python, { sbatchOptions, jobs, emitOnly, detach });
  },
  settle: async (earlier) => (await openJobs()).settleSubmissions(earlier),
  view: async (directory) => (await openJobs()).viewSubmissions(directory),
  cancel: async (directory) => (await openJobs()).cancelSubmissions(directory),
  diagnosis: {
    looking: "SLURM and its nodes",
    async diagnose(diagnosed, { sbatchOptions = [] }) {
      const { diagnoseSlurm } = await import("./diagnose-slurm.js");
      return diagnoseSlurm({ ...diagnosed, options: sbatchOptions });
    },
  },
};
