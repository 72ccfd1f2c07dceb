import { createRequire } from "node:module";
import { packageManifest } from "../../python/package-manifest.js";
import { versionSatisfies } from "../../python/version-satisfies.js";
import type { DoctorCheck } from "./doctor-document.js";

const require = createRequire(import.meta.url);

/** Version of an installed npm package; null when it is not there. */
function installedVersion(name: string): string | null {
  try {
    return String(require(`${name}/package.json`).version);
  } catch {
    // Whatever keeps its package.json from being read keeps the package from being used.
    return null;
  }
}

/** The JavaScript side: Node.js, this package, and the transport that it is tied to. */
export function checkPackage(): DoctorCheck[] {
  const { version, engines, dependencies } = packageManifest();
  const node = process.versions.node;
  const nodeIsNewEnough = versionSatisfies(node, engines.node);
  const pythoniaWanted = dependencies["pythonia"] ?? "";
  const pythonia = installedVersion("pythonia");
  return [
    {
      name: "node",
      ok: nodeIsNewEnough,
      found: node,
      expected: engines.node,
      fix: nodeIsNewEnough ? null : `install Node.js ${engines.node}, with your version manager or your system's packages`,
    },
    { name: "bh-bridge", ok: true, found: version, expected: version, fix: null },
    {
      name: "pythonia",
      ok: pythonia === pythoniaWanted,
      found: pythonia,
      expected: pythoniaWanted,
      fix: pythonia === pythoniaWanted ? null : `npm install pythonia@${pythoniaWanted}`,
    },
  ];
}
