// npm run test:powerloss -- [--states 1000] [--seed 1] [--keep]: lose power at any instant, recover every disk that may be left.
import { join } from "node:path";
import { prepare, root, run } from "./prepare.mjs";

await prepare({ dev: true });
const python = process.env.BH_BRIDGE_PYTHON ?? join(root, ".venv", "bin", "python");
process.exitCode = await run(python, [join(root, "scripts", "powerloss"), ...process.argv.slice(2)]);
