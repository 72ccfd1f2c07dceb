import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

async function entriesOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

/** The folders of a virtual environment that packages are installed into. */
async function sitePackages(directory: string): Promise<string[]> {
  return (await entriesOf(join(directory, "lib"))).map((folder) => join(folder, "site-packages"));
}

/**
 * Make a virtual environment forget the packages whose installation was cut short, so that pip installs them again; return their names.
 *
 * pip writes INSTALLER after all other files of a package, so a package without it may lack some; its METADATA alone makes pip call it satisfied.
 */
export async function removeInterruptedInstalls(directory: string): Promise<string[]> {
  const removed: string[] = [];
  for (const folder of await sitePackages(directory)) {
    for (const distribution of (await entriesOf(folder)).filter((path) => path.endsWith(".dist-info"))) {
      if ((await readdir(distribution)).includes("INSTALLER")) continue;
      await rm(distribution, { recursive: true });
      removed.push(distribution.slice(folder.length + 1, -".dist-info".length));
    }
  }
  return removed;
}
