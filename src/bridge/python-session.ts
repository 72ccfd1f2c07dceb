import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BhBridgeError, type ProcessExit } from "../errors.js";
import { envelopeSchema } from "../protocol/envelope.js";
import { environmentSchema, type Operation, operations, type PythonEnvironment, type ReplyOf, type RequestOf } from "../protocol/operations.js";
import { protocolVersion } from "../protocol/version.js";
import { EventChannel } from "./event-channel.js";
import { peerExited, protocolMismatch, pythonFailure } from "./failures.js";
import { lastLines } from "./last-lines.js";
import { writeLauncher } from "./launcher.js";
import { packageRoot } from "./package-root.js";
import { stopLadder } from "./stop-ladder.js";
import { startTransport, type Transport, type TransportEnd } from "./transport.js";

export interface SessionOptions {
  /** Absolute path of an interpreter that has all packages. */
  python: string;
  /** CPU threads of PyTorch; null leaves the choice to PyTorch. */
  threads: number | null;
  device: string;
  signal?: AbortSignal | undefined;
}

/** A socket's path has room for 104 bytes on macOS and 108 on Linux; what is added to the folder takes 8. */
const socketFolderBytes = 90;
/** So many last lines of Python's output go into an error: a traceback's end and what led to it. */
const quotedLines = 8;

function privateFolder(): string {
  const folder = Buffer.byteLength(tmpdir()) + 24 > socketFolderBytes ? "/tmp" : tmpdir();
  return mkdtempSync(join(folder, "bh-bridge-")); // mode 0700
}

/**
 * One Python process and the calls to it, one at a time.
 *
 * Its end by any path (exit, signal, a failed start, a broken protocol) is noted once, with exit code, signal and last lines; it rejects the pending
 * call within a second and every later one at once.
 */
export class PythonSession {
  /** A private folder for tensors on their way to or from Python; goes with the session. */
  readonly folder: string;
  readonly channel: EventChannel;
  /** Settles when the process has ended. */
  readonly ended: Promise<ProcessExit>;
  readonly #transport: Transport;
  #environment: PythonEnvironment | undefined;
  #exit: ProcessExit | undefined;
  #logs: string[];
  #queue: Promise<unknown> = Promise.resolve();
  #pendingCalls = 0;
  #killRequested = false;
  #closing: Promise<void> | undefined;
  #cause: Error | undefined;

  private constructor(folder: string, channel: EventChannel, transport: Transport, log: string) {
    this.folder = folder;
    this.channel = channel;
    this.#transport = transport;
    this.#logs = [log];
    this.ended = transport.end.then((end) => this.#afterExit(end));
    transport.unref();
  }

  /**
   * Start Python and exchange versions: torch is imported when this returns.
   *
   * @throws {BhBridgeError} `PROTOCOL_MISMATCH`, `PEER_EXITED`, `ABORTED`, or what Python raised.
   */
  static async start({ python, threads, device, signal }: SessionOptions): Promise<PythonSession> {
    const folder = privateFolder();
    const channel = await EventChannel.listen(folder);
    const log = join(folder, "python.log");
    const transport = startTransport(writeLauncher(folder, { python, log }));
    const session = new PythonSession(folder, channel, transport, log);
    try {
      const request = { protocol: protocolVersion, channel: { path: channel.path, token: channel.token }, threads, device };
      const reply = await session.invoke("hello", request, signal);
      if (reply.protocol !== protocolVersion) throw protocolMismatch(protocolVersion, reply.protocol, join(packageRoot, "python"));
      session.#environment = environmentSchema.parse(reply);
      return session;
    } catch (error) {
      await session.kill();
      throw error;
    }
  }

  get environment(): PythonEnvironment {
    if (!this.#environment) throw new BhBridgeError("INTERNAL", "the environment is read before the first exchange");
    return this.#environment;
  }

  /** Process id of Python. */
  get pid(): number {
    return this.#transport.process.pid ?? -1;
  }

  /** Look for last words in this file as well: Python's output goes there while a run is trained. */
  addLog(path: string): void {
    this.#logs = [...this.#logs.slice(0, 1), path];
  }

  /**
   * Call Python. Calls wait for each other: Python does one thing at a time, and a training is one call.
   *
   * @param signal rejects this call with `ABORTED` at once; what Python has begun, it finishes.
   * @throws {BhBridgeError} `PROTOCOL_INVALID` when request or reply are not as `operations` says; `PEER_EXITED`; what Python raised.
   */
  async invoke<Op extends Operation>(op: Op, request: RequestOf<Op>, signal?: AbortSignal): Promise<ReplyOf<Op>> {
    const checked = operations[op].request.safeParse(request);
    if (!checked.success) throw new BhBridgeError("PROTOCOL_INVALID", `the request of ${op} is invalid: ${checked.error.message}`, { cause: checked.error });
    if (signal?.aborted) throw new BhBridgeError("ABORTED", `${op} was cancelled before it began`, { cause: signal.reason });
    const turn = this.#queue.then(() => this.#exchange(op, JSON.stringify(checked.data)));
    this.#queue = turn.catch(() => undefined); // a failed call does not hold up the next; its caller has the error
    return this.#whileReferenced(() => this.#abortable(op, turn, signal)) as Promise<ReplyOf<Op>>;
  }

  /** End Python: ask it to leave, then SIGTERM, then SIGKILL. A training that is under way is stopped first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Send a signal on purpose. */
  signal(name: NodeJS.Signals): void {
    this.#killRequested ||= name === "SIGKILL";
    if (!this.#exit) this.#transport.process.kill(name);
  }

  /** End Python at once. */
  async kill(): Promise<void> {
    this.#transport.ref(); // Node would exit before the end is known
    this.signal("SIGKILL");
    await this.ended;
  }

  async #close(): Promise<void> {
    this.#transport.ref();
    await stopLadder(this.ended, [
      { act: () => this.#transport.process.connected && this.#transport.process.disconnect(), graceMs: 2000 },
      { act: () => this.signal("SIGTERM"), graceMs: 2000 },
      { act: () => this.signal("SIGKILL"), graceMs: Number.POSITIVE_INFINITY },
    ]);
  }

  async #exchange(op: Operation, request: string): Promise<unknown> {
    if (this.#exit) throw this.#exitError(op, this.#exit);
    const answer = await Promise.race([this.#transport.invoke(op, request), this.ended]);
    if (typeof answer !== "string") throw this.#exitError(op, answer);
    const envelope = envelopeSchema(operations[op].reply).safeParse(JSON.parse(answer));
    if (!envelope.success) throw new BhBridgeError("PROTOCOL_INVALID", `the reply to ${op} is invalid: ${envelope.error.message}`, { cause: envelope.error });
    if ("err" in envelope.data) throw pythonFailure(op, envelope.data.err);
    return envelope.data.ok;
  }

  async #abortable<Value>(op: string, turn: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
    if (!signal) return turn;
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(new BhBridgeError("ABORTED", `${op} was cancelled`, { cause: signal.reason }));
      signal.addEventListener("abort", onAbort);
    });
    try {
      return await Promise.race([turn, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Node stays alive while a call is pending, and may exit while none is. */
  async #whileReferenced<Value>(task: () => Promise<Value>): Promise<Value> {
    if (this.#pendingCalls++ === 0) this.#transport.ref();
    try {
      return await task();
    } finally {
      if (--this.#pendingCalls === 0 && !this.#closing) this.#transport.unref();
    }
  }

  #afterExit(end: TransportEnd): ProcessExit {
    const said = this.#logs.map(readOrEmpty).findLast((text) => text.trim() !== "");
    this.#exit = {
      exitCode: "error" in end ? null : end.code,
      signal: "error" in end ? null : end.signal,
      lastLines: "error" in end ? [end.error.message] : said === undefined ? [] : lastLines(said, quotedLines),
    };
    this.#transport.dispose();
    this.channel.close();
    rmSync(this.folder, { recursive: true, force: true });
    return this.#exit;
  }

  #exitError(op: string, exit: ProcessExit): BhBridgeError {
    if (this.#closing) return new BhBridgeError("BRIDGE_CLOSED", `${op} was called on a bridge that is closed`, { exit });
    this.#cause ??= new Error(`Python ended: ${JSON.stringify({ exitCode: exit.exitCode, signal: exit.signal })}`);
    return peerExited(op, exit, this.#killRequested, this.#cause);
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // Python ended before it wrote anything
  }
}
