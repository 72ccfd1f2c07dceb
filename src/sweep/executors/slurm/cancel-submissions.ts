import { scancel, squeue } from "./slurm-commands.js";
import { Submission } from "./submission.js";

/** End the jobs that SLURM has of a directory, from any machine that has its commands. @returns their numbers. @throws {BhBridgeError} `EXECUTOR_UNAVAILABLE`. */
export async function cancelSubmissions(directory: string): Promise<string[]> {
  const open = Submission.openIn(directory).flatMap(({ job }) => job ?? []);
  if (open.length === 0) return [];
  const queued = await squeue();
  const jobs = open.filter((job) => queued.some((each) => each.job === job));
  for (const job of jobs) await scancel(job);
  return jobs;
}
