import { readFileSync } from "node:fs";

/** The cores that this process may run on; nothing where the system does not tell (it is not Linux). */
export function allowedCores(): number[] | undefined {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return list?.split(",").flatMap((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
  } catch {
    return undefined;
  }
}

/**
 * The cores of each worker: all of them shared out evenly, so that no two workers share one. Nothing where a share would be smaller than the threads of a
 * trial: the system's own scheduling is better then.
 */
export function coreShares(cores: readonly number[], workers: number, threads: number): number[][] | undefined {
  if (Math.floor(cores.length / workers) < threads) return undefined;
  return Array.from({ length: workers }, (_, worker) =>
    cores.slice(Math.floor((worker * cores.length) / workers), Math.floor(((worker + 1) * cores.length) / workers)),
  );
}
