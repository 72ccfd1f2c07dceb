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

export type ErrorCode = (typeof errorCodes)[number];

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
