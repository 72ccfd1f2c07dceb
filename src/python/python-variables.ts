import { delimiter } from "node:path";

/** Environment variables that are not passed to Python, and why: see docs/install.md. */
interface WithheldVariables {
  names: RegExp;
  /** Matching variables that are passed on nevertheless. */
  except?: readonly string[];
  reason: string;
}

/** Lists only harmful variables, since clusters, conda and GPU drivers depend on many others. */
export const withheldVariables: readonly WithheldVariables[] = [
  {
    names: /^PYTHON\w*$/,
    except: ["PYTHONPATH", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONSAFEPATH"],
    reason: "bh-bridge sets how Python works (text encoding, warnings, home). The user still chooses which packages it finds",
  },
  {
    names: /^(ACCELERATE|FSDP|MEGATRON_LM|PARALLELISM_CONFIG)_\w+$/,
    reason: "settings of `accelerate launch` for another program: they would override precision, device and parallelism of the configuration",
  },
  {
    names:
      /^(WORLD_SIZE|RANK|(LOCAL|GROUP|ROLE)_(RANK|WORLD_SIZE)|ROLE_NAME|NODE_RANK|MASTER_(ADDR|PORT)|FORK_LAUNCHED|(TORCHELASTIC|PMI|OMPI_COMM_WORLD|MV2_COMM_WORLD)_\w+)$/,
    reason: "the rank of a surrounding job: bh-bridge starts its own processes (`engine.processes`) and waits for no others",
  },
  {
    names: /^(SM_FRAMEWORK_PARAMS|SM_HP_MP_PARAMETERS|SMDATAPARALLEL_LOCAL_RANK)$/,
    reason: "settings of SageMaker for its own distributed jobs",
  },
];

/** Variables of every Python that bh-bridge starts. */
const ownVariables = {
  // Node writes paths and files in UTF-8, whatever the locale.
  PYTHONUTF8: "1",
  // The package's folder may be read-only.
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONUNBUFFERED: "1",
  // Otherwise "python -m", and every process that Python starts, imports from the working folder.
  PYTHONSAFEPATH: "1",
} as const;

/** The names in an environment that are not passed to Python. */
export function withheldNames(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env).filter((name) => withheldVariables.some(({ names, except = [] }) => names.test(name) && !except.includes(name)));
}

/**
 * The variables that replace or extend the user's for every Python; undefined removes one. They keep the working folder out of `sys.path`.
 */
export function pythonVariables(env: NodeJS.ProcessEnv = process.env): Record<string, string | undefined> {
  const withheld = Object.fromEntries(withheldNames(env).map((name) => [name, undefined]));
  return { ...withheld, ...ownVariables, ...namedFolders(env["PYTHONPATH"]) };
}

/** Remove empty entries of PYTHONPATH, which mean the working folder; `export PYTHONPATH=$PYTHONPATH:/mine` can leave one. */
function namedFolders(path: string | undefined): { PYTHONPATH?: string | undefined } {
  if (path === undefined) return {};
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return { PYTHONPATH: folders.length > 0 ? folders.join(delimiter) : undefined };
}

/** Variables that can prevent Python from starting. */
const suspects: Readonly<Record<string, string>> = {
  PYTHONPATH: "modules there come before Python's own",
  LD_LIBRARY_PATH: "libraries there come before PyTorch's own",
  DYLD_LIBRARY_PATH: "libraries there come before PyTorch's own",
  LD_PRELOAD: "it is loaded into every program",
};

/** A sentence to append to the error of a failed start, naming the variables that may be the cause; empty if none is set. */
export function suspectVariables(env: NodeJS.ProcessEnv = process.env): string {
  return Object.entries(suspects)
    .filter(([name]) => env[name])
    .map(([name, effect]) => `. ${name} is set to ${env[name]} (${effect}): if that is the cause, unset ${name}`)
    .join("");
}
