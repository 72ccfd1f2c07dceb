import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import { BhBridgeError, type ProcessExit } from "../errors.js";
import type { ChannelCommand } from "../protocol/events.js";
import { type Handle, type Operation, operations, type PythonEnvironment, protocolVersion, type ReplyOf, type RequestOf } from "../protocol/operations.js";
import { EventChannel, type EventReceiver } from "./event-channel.js";
import { bridgeClosed, callPhrases, deadlock, type KillReason, parseAnswer, protocolInvalid, protocolMismatch, pythonFailure } from "./failures.js";
import { writeLauncher } from "./launcher.js";
import { packageRoot } from "./package-manifest.js";
import { suspectVariables } from "./python-variables.js";
import { endError, type SessionEnd, sessionEnd, signalGroup, stopLadder } from "./session-end.js";
import { createSessionFolder, removeSessionFolder } from "./session-folder.js";
import { startTransport, type Transport, type TransportEnd } from "./transport.js";

interface Cancellation<Value> {
  signal?: AbortSignal | undefined;
  /** Ends a running call. With `keepsWaiting` the caller gets the call's result; otherwise it is rejected at once. */
  interrupt(): void;
  keepsWaiting?: boolean;
  /** Called once for each abandoned call when it has ended: with its result, or without one if it failed or never began. */
  onAbandoned?: ((value?: Value) => void) | undefined;
}

/** A mutex: one call at a time, in order of arrival. A call that is cancelled while it waits never begins. */
export class CallQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param name describes the call in messages.
   * @throws {BhBridgeError} `ABORTED` by the signal, or what the task throws.
   */
  async run<Value>(name: string, task: () => Promise<Value>, { signal, interrupt, keepsWaiting, onAbandoned }: Cancellation<Value>): Promise<Value> {
    const aborted = () => new BhBridgeError("ABORTED", `${name} was cancelled`, { cause: signal?.reason });
    if (signal?.aborted) {
      onAbandoned?.();
      throw aborted();
    }
    return new Promise((resolve, reject) => {
      let hasBegun = false;
      const onAbort = () => {
        if (hasBegun) interrupt();
        else onAbandoned?.();
        if (!hasBegun || !keepsWaiting) reject(aborted());
      };
      const onEnd = (value?: Value) => {
        if (hasBegun && signal?.aborted && !keepsWaiting) onAbandoned?.(value);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const turn = this.#last.then(async () => {
        if (signal?.aborted) throw aborted();
        hasBegun = true;
        try {
          return await task();
        } finally {
          signal?.removeEventListener("abort", onAbort);
        }
      });
      this.#last = turn.catch(() => undefined); // a failed call does not block the next; its caller gets the error
      turn.then(
        (value) => {
          resolve(value);
          onEnd(value);
        },
        (error: unknown) => {
          reject(error as Error);
          onEnd();
        },
      );
    });
  }
}

interface Waiting {
  /** Describes the task. */
  readonly name: string;
  isOver: boolean;
}

/** Detects calls from code that Python waits for, which would deadlock. */
export class DeadlockGuard {
  readonly #waiting = new AsyncLocalStorage<Waiting>();

  /** Run a task whose end Python waits for. */
  async whileWaitedFor<Value>(name: string, task: () => Promise<Value>): Promise<Value> {
    const waiting = { name, isOver: false };
    try {
      return await this.#waiting.run(waiting, task);
    } finally {
      waiting.isOver = true;
    }
  }

  /** Name of the task that Python waits for, if the caller is part of it. */
  get waitedFor(): string | undefined {
    const waiting = this.#waiting.getStore();
    return waiting?.isOver === false ? waiting.name : undefined;
  }
}

interface SessionOptions {
  /** Absolute path of an interpreter that has all packages. */
  python: string;
  /** CPU threads of PyTorch; null for PyTorch's default. */
  threads: number | null;
  device: string;
  /** Cores that the process may use (default: all). */
  cores?: readonly number[] | undefined;
  signal?: AbortSignal | undefined;
}

interface InvokeOptions<Reply> {
  /** Cancels the call: it never begins, or is interrupted, and the caller gets `ABORTED` at once. */
  signal?: AbortSignal | undefined;
  /** Ends a running call in place of an interrupt; the caller then gets the call's result. */
  onAbort?: () => void;
  /** Called once when a cancelled call has ended, to release its objects: with its reply, or without one if it failed or never began. */
  onAbandoned?: (reply?: Reply) => void;
  /** Receives all events that Python sends during the call, before the call ends. */
  receiver?: EventReceiver;
}

/** Importing torch takes 1 s, and minutes from a cold network disk. */
const startTimeoutMs = 300_000; // the error names it
/** Time for a training to finish its step and checkpoint: seconds for the largest model that fits. */
const stopGraceMs = 15_000;
/** An interrupt takes effect between two lines of Python, or two calls of PyTorch. */
const interruptGraceMs = 3000;
/** An idle Python exits within 0.1 s. */
const leaveGraceMs = 2000;
/** Time between the disconnect and the exit event of a process that ends. */
const disconnectGraceMs = 500;

/**
 * One Python process and the calls to it, one at a time.
 *
 * Its end (exit, signal, failed start, lost connection) is recorded once, with exit code, signal and last lines. It rejects the pending call within a second
 * and every later one at once.
 */
export class PythonSession {
  /** A private folder for the transfer of tensors, removed with the session. */
  readonly folder: string;
  /** Settles when the process has ended. */
  readonly ended: Promise<ProcessExit>;
  /** Detects calls that would deadlock. */
  readonly deadlocks = new DeadlockGuard();
  readonly #channel: EventChannel;
  readonly #transport: Transport;
  readonly #queue = new CallQueue();
  #environment: PythonEnvironment | undefined;
  #logs: string[];
  #pendingCalls = 0;
  #calls = 0;
  #current: { op: Operation; fail: (error: BhBridgeError) => void } | undefined;
  #idle: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #killReason: KillReason | undefined;
  #end: SessionEnd | undefined;

  private constructor(folder: string, channel: EventChannel, transport: Transport, log: string) {
    this.folder = folder;
    this.#channel = channel;
    this.#transport = transport;
    this.#logs = [log];
    this.ended = transport.end.then((end) => this.#afterExit(end));
    transport.process.once("disconnect", () => void this.#afterDisconnect());
    transport.unref();
  }

  /**
   * Start Python, exchange versions and import torch.
   * @throws {BhBridgeError} `PROTOCOL_MISMATCH`, `PEER_EXITED`, `ABORTED`, or what Python raised.
   */
  static async start({ python, threads, device, cores, signal }: SessionOptions): Promise<PythonSession> {
    const session = await PythonSession.#spawn(python);
    const timer = setTimeout(() => void session.#kill("no answer"), startTimeoutMs);
    try {
      const { path, token } = session.#channel;
      const request = { protocol: protocolVersion, channel: { path, token }, threads, device, cores: cores ? [...cores] : null };
      const reply = await session.invoke("hello", request, { signal });
      if (!("torch" in reply)) throw protocolMismatch(protocolVersion, reply.protocol, join(packageRoot, "python"));
      session.#environment = reply;
      return session;
    } catch (error) {
      await session.#kill("closed");
      throw withSuspects(error);
    } finally {
      clearTimeout(timer);
    }
  }

  static async #spawn(python: string): Promise<PythonSession> {
    const folder = await createSessionFolder();
    const log = join(folder, "python.log");
    let channel: EventChannel | undefined;
    try {
      channel = await EventChannel.listen(folder);
      return new PythonSession(folder, channel, startTransport(writeLauncher(folder, { python, log })), log);
    } catch (cause) {
      channel?.close();
      removeSessionFolder(folder);
      throw new BhBridgeError("INTERNAL", `no process could be started for ${python}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }

  get environment(): PythonEnvironment {
    if (!this.#environment) throw new BhBridgeError("INTERNAL", "the environment was read before the first exchange");
    return this.#environment;
  }

  /** Read last lines from this file as well, since Python's output goes there during training. */
  addLog(path: string): void {
    this.#logs = [...this.#logs.slice(0, 1), path];
  }

  /**
   * Call Python. Calls run one after another, and a training is one call.
   * @throws {BhBridgeError} `PROTOCOL_INVALID` if request or reply violate `operations`; `ABORTED` by the signal; `PEER_EXITED`; `BRIDGE_CLOSED`; as raised by
   *   Python.
   */
  async invoke<Op extends Operation>(op: Op, request: RequestOf<Op>, options: InvokeOptions<ReplyOf<Op>> = {}): Promise<ReplyOf<Op>> {
    const { signal, onAbort, onAbandoned, receiver } = options;
    if (this.deadlocks.waitedFor !== undefined) throw deadlock(op, this.deadlocks.waitedFor);
    const checked = operations[op].request.safeParse(request);
    if (!checked.success) throw protocolInvalid(`the request for ${callPhrases[op]}`, checked.error);
    const cancellation = { signal, interrupt: onAbort ?? (() => this.interrupt()), keepsWaiting: onAbort !== undefined, onAbandoned };
    return this.#queue.run(callPhrases[op], () => this.#whileReferenced(() => this.#exchange(op, JSON.stringify(checked.data), receiver)), cancellation);
  }

  /** Release an object in Python. Succeeds if Python has ended. */
  async forget(op: "release" | "trainer.close", handle: Handle): Promise<void> {
    try {
      await this.invoke(op, { handle });
    } catch (error) {
      if (!this.#end && !this.#closing) throw error;
    }
  }

  send(command: ChannelCommand): void {
    this.#channel.send(command);
  }

  /**
   * End Python. The running call is ended first: a training after its step, with a checkpoint, any other by an interrupt. Waiting calls never begin. Then
   * Python is asked to exit, terminated and killed, each after a grace period.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** End the running call by a KeyboardInterrupt, which no later call receives. */
  interrupt(): void {
    if (this.#current) this.send({ type: "interrupt", call: this.#calls });
  }

  /** End Python and its workers. */
  signal(name: "SIGTERM" | "SIGKILL"): void {
    const { pid } = this.#transport.process;
    if (this.#end || pid === undefined) return;
    if (name === "SIGKILL") this.#killReason ??= "closed";
    if (!signalGroup(pid, name)) this.#transport.process.kill(name);
  }

  async #kill(reason: KillReason): Promise<void> {
    this.#killReason ??= reason;
    this.signal("SIGKILL");
    await this.ended;
  }

  async #close(): Promise<void> {
    this.#transport.ref();
    const isTraining = this.#current?.op === "trainer.train" || this.#current?.op === "trainer.train_stack";
    await stopLadder(Promise.race([this.#idle, this.ended]), [
      isTraining ? { act: () => this.send({ type: "leave" }), graceMs: stopGraceMs } : { act: () => this.interrupt(), graceMs: interruptGraceMs },
    ]);
    await stopLadder(this.ended, [
      { act: () => this.#transport.process.connected && this.#transport.process.disconnect(), graceMs: leaveGraceMs },
      { act: () => this.signal("SIGTERM"), graceMs: leaveGraceMs },
      { act: () => this.signal("SIGKILL"), graceMs: Number.POSITIVE_INFINITY },
    ]);
  }

  async #exchange<Op extends Operation>(op: Op, request: string, receiver: EventReceiver | undefined): Promise<ReplyOf<Op>> {
    if (this.#end) throw endError(op, this.#end);
    if (this.#closing) throw bridgeClosed(op);
    this.#channel.receiver = receiver;
    this.#calls++;
    const exchange = new Promise<ReplyOf<Op>>((resolve, reject) => {
      // No Promise.race with `ended`: that promise would retain each race until Python ends.
      this.#current = { op, fail: reject };
      this.#roundTrip(op, request).then(resolve, reject);
    });
    this.#idle = exchange.catch(() => undefined);
    try {
      return await exchange;
    } finally {
      this.#current = undefined;
      this.#channel.receiver = undefined;
    }
  }

  async #roundTrip<Op extends Operation>(op: Op, request: string): Promise<ReplyOf<Op>> {
    const answer = parseAnswer(op, await this.#call(op, request));
    await this.#channel.received(answer.events);
    if ("err" in answer) throw pythonFailure(op, answer.err);
    return answer.ok as ReplyOf<Op>;
  }

  async #call(op: Operation, request: string): Promise<string> {
    try {
      return await this.#transport.invoke(op, request);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BhBridgeError("PYTHON_RAISED", `${callPhrases[op]} failed, as Python could not be reached: ${reason}`, { cause });
    }
  }

  /** Keep Node alive while a call is pending. */
  async #whileReferenced<Value>(task: () => Promise<Value>): Promise<Value> {
    if (this.#pendingCalls++ === 0) this.#transport.ref();
    try {
      return await task();
    } finally {
      if (--this.#pendingCalls === 0 && !this.#closing) this.#transport.unref();
    }
  }

  async #afterDisconnect(): Promise<void> {
    if (this.#closing) return; // asked for
    await stopLadder(this.ended, [
      { act: () => undefined, graceMs: disconnectGraceMs },
      { act: () => this.#kill("unreachable"), graceMs: Number.POSITIVE_INFINITY },
    ]);
  }

  #afterExit(end: TransportEnd): ProcessExit {
    const { pid } = this.#transport.process;
    if (pid !== undefined) signalGroup(pid, "SIGKILL"); // workers of a killed process would survive for seconds
    this.#end = sessionEnd(end, { logs: this.#logs, killReason: this.#killReason, wasClosed: this.#closing !== undefined });
    this.#transport.dispose();
    this.#channel.close();
    removeSessionFolder(this.folder);
    this.#current?.fail(endError(this.#current.op, this.#end));
    return this.#end.exit;
  }
}

/** Add the environment variables that may explain a failed start to its error. */
function withSuspects(error: unknown): unknown {
  if (!(error instanceof BhBridgeError) || (error.code !== "PEER_EXITED" && error.code !== "PYTHON_RAISED")) return error;
  const { code, message, cause, python, exit } = error;
  return new BhBridgeError(code, `${message}${suspectVariables()}`, { cause, ...(python && { python }), ...(exit && { exit }) });
}
