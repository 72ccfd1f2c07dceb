/** Every error that leaves this package is a `BhBridgeError` with one of these codes. The order is the order of the documentation; a test pins the list. */
export const errorCodes = [
  "USAGE",
  "CONFIG_INVALID",
  "CORPUS_INVALID",
  "PYTHON_NOT_FOUND",
  "PYTHON_DEPENDENCY_MISSING",
  "DEVICE_UNAVAILABLE",
  "EXECUTOR_UNAVAILABLE",
  "SETUP_FAILED",
  "PROGRAM_NOT_FOUND",
  "PROTOCOL_MISMATCH",
  "PROTOCOL_INVALID",
  "PYTHON_RAISED",
  "PEER_EXITED",
  "HANDLE_STALE",
  "BRIDGE_CLOSED",
  "ABORTED",
  "USER_CALLBACK_FAILED",
  "RUN_NOT_FOUND",
  "RUN_LOCKED",
  "RUN_CORRUPT",
  "RUN_UNSUPPORTED",
  "RESUME_MISMATCH",
  "RESUME_DIVERGED",
  "FORMAT_INVALID",
  "FORMAT_UNSUPPORTED",
  "TENSOR_NOT_FOUND",
  "FILE_NOT_FOUND",
  "FILE_UNREADABLE",
  "FILE_UNWRITABLE",
  "DISK_FULL",
  "IO_FAILED",
  "INTERNAL",
] as const;

/** A code of a `BhBridgeError`. */
export type ErrorCode = (typeof errorCodes)[number];

/** What an error code means: the entry of its page in the documentation. */
interface ErrorHelp {
  /** When the error occurs. */
  cause: string;
  /** What to do. */
  remedy: string;
  /** A message with this code. */
  example: string;
}

/** The documentation of every error code; `npm run docs:build` writes a page of it. */
export const errorHelp: Readonly<Record<ErrorCode, ErrorHelp>> = {
  USAGE: {
    cause:
      "A command or a function was called in a way that it does not support: an unknown command or option, a missing argument, or options that exclude each other.",
    remedy: "Follow the message, which names the nearest command or option. `--help` after a command lists its arguments and options.",
    example: "unknown option '--stepz'\n(Did you mean --steps?)",
  },
  CONFIG_INVALID: {
    cause: "A configuration, an experiment, a sweep or a table of results contains unknown fields, or values that are not accepted.",
    remedy:
      "Correct the fields that the message lists with their source. `bh-bridge config check FILE` checks a file without training. With `--json`, `issues` has every problem.",
    example: "The configuration has 1 problem:\n  training.learning_rate: -1 is not accepted: expected a number of at least 0\n    from --set",
  },
  CORPUS_INVALID: {
    cause: "The text of a training is missing, too short for a window, not in the vocabulary, or not readable with the tokenizer.",
    remedy:
      "Name another file with `--corpus`, or change the field that the message names, such as `model.vocab_size` or `data.window_length`. `bh-bridge train --dry-run` reads a corpus without training.",
    example: "cannot read the corpus /home/me/missing.txt: there is no such file. Give a text file with data.corpus (--corpus on the command line)",
  },
  PYTHON_NOT_FOUND: {
    cause: "No usable Python was found, or the one that `--python`, `python` or `BH_BRIDGE_PYTHON` names cannot be started.",
    remedy: "Run `bh-bridge setup` to make an environment, or name an interpreter with `--python`. `bh-bridge doctor` lists what was tried.",
    example: "python (--python on the command line) names /opt/python3, but there is no such file. Correct it, or omit it to let bh-bridge find a Python",
  },
  PYTHON_DEPENDENCY_MISSING: {
    cause: "Python was found, but a package that the command needs is not installed in it, or has a version that is not supported.",
    remedy: "Run the command at the end of the message, or `bh-bridge setup` for an environment with everything.",
    example:
      'torch is not installed in /home/me/.venv (Python 3.11.7). Run "bh-bridge setup", or install it there with: /home/me/.venv/bin/python -m pip install torch',
  },
  DEVICE_UNAVAILABLE: {
    cause: "The device of the configuration does not exist here, or the installed PyTorch does not support it.",
    remedy: "Choose a device that the message lists with `--device`. For a GPU, install a PyTorch build for it.",
    example: 'device cuda is not available: PyTorch sees cpu. Choose one of them with device (--device on the command line), or run "bh-bridge doctor"',
  },
  EXECUTOR_UNAVAILABLE: {
    cause: "Ray or SLURM does not answer, refuses a job, or lost it. No trial has failed because of this.",
    remedy: "Check the cluster with `bh-bridge doctor --executor ray` or `--executor slurm`. Then run the same command again: it trains the open trials only.",
    example: "the Ray cluster at http://127.0.0.1:8265 refused POST /api/jobs/ (500): no resources",
  },
  SETUP_FAILED: {
    cause: "`bh-bridge setup` could not make the Python environment: no connection, a full disk, or a package that cannot be installed.",
    remedy: "Correct what the quoted output of pip reports. Then run `bh-bridge setup` again, which continues.",
    example: "/root/env cannot be accessed (EACCES: permission denied): choose another folder with --dir",
  },
  PROGRAM_NOT_FOUND: {
    cause: "A program that the command uses is not installed, such as `ssh-keygen` for `bh-bridge runs sign`.",
    remedy: "Install it with the package manager of your system, or add its folder to PATH.",
    example: "ssh-keygen is not on the PATH. Install OpenSSH, on Debian with: sudo apt-get install openssh-client",
  },
  PROTOCOL_MISMATCH: {
    cause: "The Python sources that were loaded belong to another version of bh-bridge than the program.",
    remedy: "Reinstall the package. Remove other copies of `bh_bridge` from the Python environment and from `PYTHONPATH`.",
    example: "bh-bridge uses protocol 9, but the Python sources at /opt/bh_bridge use 8: reinstall bh-bridge, so that both come from one package",
  },
  PROTOCOL_INVALID: {
    cause: "A message between Node.js and Python has another form than its schema, for example the answer of a decider.",
    remedy: "If a callback of yours is named, return only the fields of `TrainerControl`. Otherwise report it as a bug, with the output of `--verbose`.",
    example: 'the answer is not a TrainerControl: ✖ Unrecognized key: "stop"',
  },
  PYTHON_RAISED: {
    cause: "Python raised an exception that bh-bridge does not expect: in a model or loss of your own, in PyTorch, or in bh-bridge.",
    remedy:
      "Read the traceback: `--verbose` prints it, and `error.python` has it in TypeScript. The file `python.log` of the run has what Python printed before.",
    example: "Python raised torch.OutOfMemoryError while training: CUDA out of memory",
  },
  PEER_EXITED: {
    cause: "The Python process, or another process of the same training, has ended: it was killed, ran out of memory, or crashed.",
    remedy:
      "Read the quoted last output. After SIGKILL, free memory, or reduce `training.per_device_train_batch_size` or `--workers`. Then continue with `bh-bridge resume`.",
    example: "training failed: the Python process was killed (SIGKILL), as happens when memory runs out",
  },
  HANDLE_STALE: {
    cause: "A `Model` or `Trainer` was used after it had been closed.",
    remedy: "Create it again, or close it later: `await using` closes it at the end of its block.",
    example: "object 3 (generation 1) was closed: create it again",
  },
  BRIDGE_CLOSED: {
    cause: "A function was called on a `Bridge` that has been closed, or on a model or trainer of it.",
    remedy: "Start another one with `Bridge.start()`.",
    example: "building a model failed: the bridge is closed. Start another with Bridge.start()",
  },
  ABORTED: {
    cause: "An `AbortSignal`, Ctrl-C or an answer at a prompt stopped the operation.",
    remedy: "Nothing has to be repaired. Run the same command again, or `bh-bridge resume` for a training.",
    example: "the set-up was stopped. Run the same command again to continue",
  },
  USER_CALLBACK_FAILED: {
    cause: "A method of a `TrainerCallback` of yours threw an error, or did not end in time. The training ended after its step, with a checkpoint.",
    remedy: 'Correct the callback; `error.cause` is what it threw. With `onError = "continue"`, errors become warnings.',
    example: "Watch.onLog threw: it had not ended after 30000 ms",
  },
  RUN_NOT_FOUND: {
    cause: "No run, sweep or experiment has the given name or path.",
    remedy: "List the runs with `bh-bridge runs`. `--out` names another folder of runs.",
    example: 'there is no run "rmsnorm" in /home/me/runs. See "bh-bridge runs --out runs"',
  },
  RUN_LOCKED: {
    cause: "Another process writes this run, sweep or experiment.",
    remedy: "Wait for it, or stop the process that the message names. A lock ends with its process, so nothing has to be removed.",
    example: "/home/me/runs/2026-11-25T15-18-39-quick-f06f2c5f is in use by process 4711: wait for it, or stop it with Ctrl-C",
  },
  RUN_CORRUPT: {
    cause: "A file of a run is damaged: a checksum does not match, or the file contradicts itself. No result is printed.",
    remedy:
      "List all damage with `bh-bridge runs verify RUN`. Restore the files from a copy, train the run again with `bh-bridge train -c RUN/config.json`, or remove it with `bh-bridge runs rm RUN`.",
    example:
      'runs/my-run/history.safetensors is damaged at step 300, token "q", component 5: its CRC-32 differs as one flipped bit makes it differ, bit 3 of byte 12345. List all damage with "bh-bridge runs verify", then restore the file from a copy or train the run again',
  },
  RUN_UNSUPPORTED: {
    cause: "The run was written by a newer version of bh-bridge, in a format that this version does not read.",
    remedy: "Install the newer version.",
    example: "runs/my-run has run format 9, this bh-bridge reads up to 3: install a newer one",
  },
  RESUME_MISMATCH: {
    cause: "The run cannot be resumed to the same bits: the environment, the configuration, the tokenizer or the text differs from that of the run.",
    remedy: "Restore what the message lists. If other bits are acceptable, resume with `--allow-inexact`, which `run.json` records.",
    example:
      "runs/my-run was computed in another environment: torch 2.12.0, now 2.13.0. Its next steps would have other bits. Restore that environment, or accept the difference with allowInexact (--allow-inexact on the command line)",
  },
  RESUME_DIVERGED: {
    cause:
      "A step that was trained again differs from the recorded one, although the environment is the recorded one. Either this machine computes differently now, or the run is damaged.",
    remedy:
      "Check the run with `bh-bridge runs verify`, then the environment with `bh-bridge reproduce`. `bh-bridge resume --allow-inexact` replaces the steps after the checkpoint.",
    example:
      "step 312 differs from the recorded step: CRC-32 1b2c3d4e and loss 2.31, recorded 1b2c3d4f and 2.31 at step 312. The environment computes differently now, or runs/my-run/history.safetensors is damaged (check with: bh-bridge runs verify). To resume anyway and replace the recorded steps after the checkpoint: bh-bridge resume --allow-inexact",
  },
  FORMAT_INVALID: {
    cause:
      "A file contradicts its own format: it is damaged, incomplete, or not what its name says. `error.offset` is the position of the first contradiction.",
    remedy: "Copy or download the file again. `bh-bridge inspect FILE` shows what can be read.",
    example: "weights.safetensors is damaged or not what its name says: at byte 0, the header is said to have 6116601672861331542 bytes, but 292 follow",
  },
  FORMAT_UNSUPPORTED: {
    cause: "The file is intact as far as known, but of a kind that bh-bridge does not read, or not of the kind that the command requires.",
    remedy: "Convert it as the message suggests, for example with `safetensors.torch.save_file`.",
    example: "notes.txt is of no format that can be read: safetensors, a torch archive (.pt, .bin), HDF5, .npy or .npz.",
  },
  TENSOR_NOT_FOUND: {
    cause: "The file or run has no tensor of that name, or several that fit.",
    remedy: "Name a tensor as `FILE::TENSOR`. `bh-bridge inspect FILE` lists them.",
    example: 'weights.pt has no tensor "wpee"; it has "wpe", "wte"',
  },
  FILE_NOT_FOUND: {
    cause: "A file or folder does not exist.",
    remedy: "Correct the path. Relative paths of a configuration file start at that file, all others at the working directory.",
    example: "weights.safetensors does not exist",
  },
  FILE_UNREADABLE: {
    cause: "A file exists, but may not be read, or is not a regular file.",
    remedy: "Change its permissions, or give a copy. If too many files are open, raise the limit with `ulimit -n 1024`.",
    example: "weights.safetensors may not be read by this user",
  },
  FILE_UNWRITABLE: {
    cause: "A file may not be written, its folder does not exist, or something is there already: nothing is overwritten without a question.",
    remedy: "Name another place, or remove what is there.",
    example: "model.npy exists already, and nothing is overwritten: name another place, or remove it",
  },
  DISK_FULL: {
    cause: "The disk or the quota is used up, or the data would not fit. What was written before is intact.",
    remedy: "Free some space, then run the command again. Record less with `record.every`, `record.rows` or `checkpoint.keep`.",
    example: "cannot write runs/my-run/run.json: the disk is full. Free some space, then try again",
  },
  IO_FAILED: {
    cause: "The operating system reported an error of a drive, a network or a port.",
    remedy: "Check what the message names, then run the command again.",
    example: "the ports 8421 to 8430 are in use: choose another with --port, or any with --port 0",
  },
  INTERNAL: {
    cause: "bh-bridge contradicts itself. This is a bug.",
    remedy: "Run the command again with `--verbose`, and report the output.",
    example: "shape.map is not a function. This is a bug in bh-bridge; run again with --verbose for its stack",
  },
};

/** One problem in a configuration. */
export interface ConfigIssue {
  /** Dotted path of the field, for example `training.learning_rate`. */
  path: string;
  message: string;
  /** The layer that set the value: `--set`, a preset, or `file:line:column`. */
  source?: string;
}

/** A Python exception. */
export interface PythonError {
  type: string;
  module: string;
  message: string;
  /** Class names of its method resolution order, most derived first. */
  mro: string[];
  traceback: string;
}

/** How a process ended: exactly one of `exitCode` and `signal` is set. */
export interface ProcessExit {
  exitCode: number | null;
  signal: string | null;
  /** Last lines of the process's stdout and stderr. */
  lastLines: string[];
}

/** Details of a `BhBridgeError`. */
export interface BhBridgeErrorOptions {
  cause?: unknown;
  issues?: ConfigIssue[];
  python?: PythonError;
  exit?: ProcessExit;
  /** Byte offset in the file, for `FORMAT_INVALID`. */
  offset?: number;
}

/** The error class of the package. `code` is the kind; `message` says what is wrong, where, and what to do. */
export class BhBridgeError extends Error {
  override readonly name = "BhBridgeError";
  readonly code: ErrorCode;
  readonly issues: ConfigIssue[] | undefined;
  readonly python: PythonError | undefined;
  readonly exit: ProcessExit | undefined;
  readonly offset: number | undefined;

  constructor(code: ErrorCode, message: string, options: BhBridgeErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.issues = options.issues;
    this.python = options.python;
    this.exit = options.exit;
    this.offset = options.offset;
  }

  /** The error for `JSON.stringify`, without the stack and with a summary of the cause. */
  toJSON(): BhBridgeErrorJson {
    const { name, code, message, issues, python, exit, offset, cause } = this;
    return {
      ...{ name, code, message },
      ...(issues && { issues }),
      ...(python && { python }),
      ...(exit && { exit }),
      ...(offset !== undefined && { offset }),
      ...(cause !== undefined && { cause: summaryOf(cause) }),
    };
  }
}

/** A `BhBridgeError` as `JSON.stringify` writes it. */
export interface BhBridgeErrorJson extends Omit<BhBridgeErrorOptions, "cause"> {
  name: "BhBridgeError";
  code: ErrorCode;
  message: string;
  cause?: ErrorSummary;
}

/** The cause of an error as JSON. */
export interface ErrorSummary {
  name: string;
  message: string;
  /** The code of a `BhBridgeError` or of a Node error, for example `ENOENT`. */
  code?: string;
}

/** The result of a task, or of `fallback` if the task throws a `BhBridgeError`. */
export function withFallback<Value>(task: () => Value, fallback: (error: BhBridgeError) => Value): Value {
  try {
    return task();
  } catch (error) {
    if (error instanceof BhBridgeError) return fallback(error);
    throw error;
  }
}

function summaryOf(cause: unknown): ErrorSummary {
  if (!(cause instanceof Error)) return { name: typeof cause, message: String(cause) };
  const code: unknown = "code" in cause ? cause.code : undefined;
  return { name: cause.name, message: cause.message, ...(typeof code === "string" && { code }) };
}

/** Exit codes of the program. A signal's code is 128 plus its number. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, environment: 3, sweepPartlyFailed: 4, sigint: 130, sigterm: 143 } as const;

const usageCodes: readonly ErrorCode[] = ["USAGE", "CONFIG_INVALID", "CORPUS_INVALID"];
const environmentCodes: readonly ErrorCode[] = [
  "PYTHON_NOT_FOUND",
  "PYTHON_DEPENDENCY_MISSING",
  "DEVICE_UNAVAILABLE",
  "EXECUTOR_UNAVAILABLE",
  "SETUP_FAILED",
  "PROGRAM_NOT_FOUND",
  "PROTOCOL_MISMATCH",
];

/** The exit code of the program for an uncaught error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof BhBridgeError)) return exitCodes.failed;
  if (usageCodes.includes(error.code)) return exitCodes.usage;
  if (environmentCodes.includes(error.code)) return exitCodes.environment;
  if (error.code === "ABORTED") return exitCodes.sigint; // Ctrl-C at a prompt raises no signal
  return exitCodes.failed;
}
