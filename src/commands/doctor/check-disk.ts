import { statfs } from "node:fs/promises";
import type { DoctorCheck } from "./doctor-document.js";

/** A run of 10,000 steps with each state recorded takes 165 MB, and its checkpoints a few MB each: this leaves room for several. */
const wantedBytes = 1e9;

/** Free space where runs are written. */
export async function checkDisk(folder: string): Promise<DoctorCheck> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const ok = free >= wantedBytes;
  return {
    name: "disk",
    ok,
    found: `${(free / 1e9).toFixed(1)} GB free in ${folder}`,
    expected: `>=${wantedBytes / 1e9} GB`,
    fix: ok ? null : "free some space, or write runs to another disk with --out",
  };
}
