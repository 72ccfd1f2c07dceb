import type { ExecutorKind } from "../executor.js";
import type { SlurmOptions } from "./slurm-executor.js";

export const slurm: ExecutorKind<SlurmOptions> = {
  title: "SLURM",
  options: [
    {
      flags: "--sbatch-option <key=value>",
      field: "sbatchOptions",
      value: "texts",
      description: "of --executor slurm: option of sbatch, for example partition=short; may be repeated",
      isDiagnosed: true,
    },
    {
      flags: "--jobs <n>",
      field: "jobs",
      value: "number",
      description: "of --executor slurm: tasks of the job array, each with --workers trials side by side",
    },
    { flags: "--emit-only", field: "emitOnly", value: "switch", description: "of --executor slurm: write the script for sbatch, and submit nothing" },
    { flags: "--detach", field: "detach", value: "switch", description: "of --executor slurm: submit, and leave; the same command again follows the trials" },
  ],
  async create(python, { sbatchOptions, jobs, emitOnly, detach }) {
    const { SlurmExecutor } = await import("./slurm-executor.js");
    return new SlurmExecutor(python, { sbatchOptions, jobs, emitOnly, detach });
  },
  async settle(earlier) {
    const { settleSubmissions } = await import("./open-jobs.js");
    await settleSubmissions(earlier);
  },
  async view(directory) {
    const { viewSubmissions } = await import("./open-jobs.js");
    return viewSubmissions(directory);
  },
  async cancel(directory) {
    const { cancelSubmissions } = await import("./open-jobs.js");
    return cancelSubmissions(directory);
  },
  diagnosis: {
    looking: "SLURM, and at what its tasks see",
    async diagnose(diagnosed, { sbatchOptions = [] }) {
      const { diagnoseSlurm } = await import("./diagnose-slurm.js");
      return diagnoseSlurm({ ...diagnosed, options: sbatchOptions });
    },
  },
};
