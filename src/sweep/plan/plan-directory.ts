import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { durableWrite } from "../../formats/durable-write.js";
import { createRunDirectory } from "../../runs/create-run-directory.js";
import { earlierSlugOf, runDirectoryName, slugOf } from "../../runs/run-name.js";
import type { Plan } from "./plan.js";
import { planFileName, planText } from "./plan-file.js";

/** The directories of sweeps with a name: the newest of the same base and rules, and the newest of others. */
interface FoundDirectories {
  same: string | undefined;
  other: string | undefined;
}

const time = runDirectoryName(new Date(0), "x", "").slice(0, "1970-01-01T00-00-00".length).replaceAll(/\d/g, "\\d");

/** Look for the directory of a plan among those in a folder: the same name, and the same base and rules. */
export function findPlanDirectory(out: string, { name, hash }: Pick<Plan, "name" | "hash">): FoundDirectories {
  const folder = resolve(out);
  const slugs = [slugOf(name), earlierSlugOf(name)].map((slug) => slug.replaceAll(".", "\\."));
  const named = new RegExp(`^${time}-(?:${slugs.join("|")})-([0-9a-f]{8})(?:-\\d+)?$`);
  const all = existsSync(folder)
    ? readdirSync(folder)
        .filter((entry) => named.test(entry) && existsSync(join(folder, entry, planFileName)))
        .sort()
    : [];
  const isSame = (entry: string) => named.exec(entry)?.[1] === hash.slice(0, 8);
  const [same, other] = [all.findLast(isSame), all.findLast((entry) => !isSame(entry))];
  return { same: same && join(folder, same), other: other && join(folder, other) };
}

/** Make the directory of a plan, with its plan in it. @returns the absolute path. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function createPlanDirectory(out: string, plan: Plan): string {
  return createRunDirectory(out, plan.name, plan.hash, { [planFileName]: planText(plan) });
}

/** Let a directory have this plan from now on. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function replacePlan(directory: string, plan: Plan): void {
  durableWrite(join(directory, planFileName), planText(plan));
}
