import { delimiter } from "node:path";

/** Environment variables that no Python of ours is started with, and why. Every other one is the user's, and is passed on: see docs/install.md. */
interface WithheldVariables {
  names: RegExp;
  /** Those among them that are passed on all the same. */
  except?: readonly string[];
  reason: string;
}

/** Only what harms is listed: clusters, conda and GPU drivers work through variables that no list of ours could name in full. */
export const withheldVariables: readonly WithheldVariables[] = [
  {
    names: /^PYTHON\w*$/,
    except: ["PYTHONPATH", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONSAFEPATH"],
    reason: "how Python works is for bh-bridge to say (its text encoding, its warnings, its home); which packages it finds stays the user's choice",
  },
  {
    names: /^(ACCELERATE|FSDP|MEGATRON_LM|PARALLELISM_CONFIG)_\w+$/,
    reason: "settings that `accelerate launch` gives another program: they would change precision, device and parallelism behind the configuration's back",
  },
  {
    names:
      /^(WORLD_SIZE|RANK|(LOCAL|GROUP|ROLE)_(RANK|WORLD_SIZE)|ROLE_NAME|NODE_RANK|MASTER_(ADDR|PORT)|FORK_LAUNCHED|(TORCHELASTIC|PMI|OMPI_COMM_WORLD|MV2_COMM_WORLD)_\w+)$/,
    reason: "the place of a surrounding job among its processes: a training of bh-bridge starts its own (`engine.processes`) and waits for no other",
  },
  {
    names: /^(SM_FRAMEWORK_PARAMS|SM_HP_MP_PARAMETERS|SMDATAPARALLEL_LOCAL_RANK)$/,
    reason: "what SageMaker tells a distributed job of its own",
  },
];

/** What every Python of ours is started with. */
const ownVariables = {
  // Node writes paths and files in UTF-8, whatever the locale: Python has to read them so.
  PYTHONUTF8: "1",
  // A cache beside the sources is of little use, and the package's folder may not be ours to write to.
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONUNBUFFERED: "1",
  // Otherwise "python -m" imports from the working folder, and so does every process that Python starts itself.
  PYTHONSAFEPATH: "1",
} as const;

/** The names in an environment that Python is not to see. */
export function withheldNames(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env).filter((name) => withheldVariables.some(({ names, except = [] }) => names.test(name) && !except.includes(name)));
}

/**
 * The variables that Python gets in addition to, or in place of, the user's; undefined removes one.
 *
 * Every Python is started with these: they keep the working folder out of `sys.path`.
 */
export function pythonVariables(env: NodeJS.ProcessEnv = process.env): Record<string, string | undefined> {
  const withheld = Object.fromEntries(withheldNames(env).map((name) => [name, undefined]));
  return { ...withheld, ...ownVariables, ...namedFolders(env["PYTHONPATH"]) };
}

/** An empty entry, as `export PYTHONPATH=$PYTHONPATH:/mine` leaves one, is the working folder to Python: nobody has named it. */
function namedFolders(path: string | undefined): { PYTHONPATH?: string | undefined } {
  if (path === undefined) return {};
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return { PYTHONPATH: folders.length > 0 ? folders.join(delimiter) : undefined };
}

/** Variables that are passed on, and that can keep a Python from starting. */
const suspects: Readonly<Record<string, string>> = {
  PYTHONPATH: "modules there come before Python's own",
  LD_LIBRARY_PATH: "libraries there come before PyTorch's own",
  DYLD_LIBRARY_PATH: "libraries there come before PyTorch's own",
  LD_PRELOAD: "it is loaded into every program",
};

/** A sentence that names the variables that may be why a Python did not start, to follow the error's own; empty where none is set. */
export function suspectVariables(env: NodeJS.ProcessEnv = process.env): string {
  return Object.entries(suspects)
    .filter(([name]) => env[name])
    .map(([name, effect]) => `. ${name} is set to ${env[name]} (${effect}): if that is the cause, unset ${name}`)
    .join("");
}
