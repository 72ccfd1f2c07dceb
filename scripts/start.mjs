// npm start: from a fresh clone to the first analysis. Arguments after -- go to `bh-bridge train`.
import { join } from "node:path";
import { prepare, root, run } from "./prepare.mjs";

await prepare();
process.exitCode = await run(process.execPath, [join(root, "dist", "cli.js"), "train", "--preset", "quick", ...process.argv.slice(2)]);
