import { nearestName } from "../../config/nearest-name.js";

const prefix = "BH_BRIDGE_";

/** The environment variables of bh-bridge, and what each is for. */
const ownVariables: Readonly<Record<string, string>> = {
  BH_BRIDGE_PYTHON: "the Python interpreter to use",
  BH_BRIDGE_KERNELS: "`plain` analyses without WebAssembly",
};

/** What is said of variables that bear our name and that we do not know: a warning, as a newer bh-bridge may know them. */
export function mistypedVariables(env: NodeJS.ProcessEnv): string[] {
  const known = Object.keys(ownVariables);
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .map((name) => {
      const rest = known.map((each) => each.slice(prefix.length));
      const near = nearestName(name.slice(prefix.length), rest);
      return `Warning: ${name} is set, and bh-bridge knows no such variable. ${near === undefined ? `It knows ${known.join(" and ")}` : `Did you mean ${prefix}${near}?`}`;
    });
}
