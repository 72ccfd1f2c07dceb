import { BhBridgeError } from "../errors.js";
import { type ChannelCommand, type ChannelMessage, coalescibleEvents, parseTrainerControl, type TrainEvent } from "../protocol/events.js";
import type { EventReceiver } from "../python/event-channel.js";
import { type CallbackEventType, callbackMethods, type TrainerCallback } from "./trainer-callback.js";

/** The longest time that a timer of Node takes, 24.8 days; a longer one would be over at once. */
const longestMs = 2 ** 31 - 1;
const decisive: readonly unknown[] = ["step_end", "log", "evaluate"];

type Problem = [path: string, value: unknown, expected: string];

/** See that times and cadences of callbacks are ones. @throws {BhBridgeError} `USAGE` naming the callback and the field. */
export function checkCallbacks(callbacks: readonly TrainerCallback[]): void {
  callbacks.forEach((callback, index) => {
    const [problem] = problemsOf(callback);
    if (!problem) return;
    const [path, value, expected] = problem;
    throw new BhBridgeError("USAGE", `callbacks[${index}].${path} of ${callback.constructor.name} is ${String(value)}: give ${expected}`);
  });
}

function problemsOf({ timeoutMs, decide }: TrainerCallback): Problem[] {
  const times: [string, number | undefined][] = [
    ["timeoutMs", timeoutMs],
    ["decide.timeoutMs", decide?.timeoutMs],
  ];
  const problems = times.filter(([, value]) => value !== undefined && !(value > 0 && value <= longestMs));
  const every = decide?.every;
  const other = decide?.on?.find((event) => !decisive.includes(event));
  return [
    ...problems.map(([path, value]): Problem => [path, value, `milliseconds above 0, and up to ${longestMs} (24 days)`]),
    ...(every === undefined || (Number.isSafeInteger(every) && every >= 1)
      ? []
      : [["decide.every", every, "a whole number of steps, from 1 on"] satisfies Problem]),
    ...(other === undefined ? [] : [["decide.on", other, `some of ${decisive.join(", ")}`] satisfies Problem]),
  ];
}

const types: ReadonlySet<string> = new Set(coalescibleEvents);

/** Whether an event may be left out for a reader that lags. */
export function isCoalescible({ type }: TrainEvent): boolean {
  return types.has(type);
}

/** Events of a training that wait for their reader; each takes some 300 bytes, so that a reader that has stopped reading costs 20 MB and no more. */
export const maxWaitingEvents = 65_536;

/** How long training waits for a decider that names no time of its own. */
const defaultDeciderTimeoutMs = 30_000;

function isCallbackEvent(type: string): type is CallbackEventType {
  return Object.hasOwn(callbackMethods, type);
}

/** What the dispatcher asks of its trainer. */
interface DispatcherHost {
  send(command: ChannelCommand): void;
  /** End the training after its current step: a callback has failed. */
  stop(): void;
  /** Run a task that Python waits for. */
  answer<Value>(name: string, task: () => Promise<Value>): Promise<Value>;
}

/** Hands events to callbacks in order, one at a time, and answers the questions to deciders. */
export class CallbackDispatcher implements EventReceiver {
  readonly #callbacks: readonly TrainerCallback[];
  readonly #deciders: readonly TrainerCallback[];
  readonly #host: DispatcherHost;
  #delivered: Promise<void> = Promise.resolve();
  #waiting = 0;
  #coalesced = 0;
  #failure: BhBridgeError | undefined;

  /** @throws {BhBridgeError} `USAGE` for a callback with a time or a cadence that is none. */
  constructor(callbacks: readonly TrainerCallback[], host: DispatcherHost) {
    checkCallbacks(callbacks);
    this.#callbacks = callbacks;
    this.#deciders = callbacks.filter((callback) => callback.decide !== undefined);
    this.#host = host;
  }

  /** The event types that some callback overrides. */
  get events(): CallbackEventType[] {
    const types = Object.keys(callbackMethods) as CallbackEventType[];
    return types.filter((type) => this.#callbacks.some((callback) => callback[callbackMethods[type]] !== undefined));
  }

  /** The deciders as Python needs to know them. */
  get deciders() {
    return this.#deciders.map(({ decide }) => ({
      every: decide?.every ?? null,
      on: [...(decide?.on ?? [])],
      timeout_seconds: (decide?.timeoutMs ?? defaultDeciderTimeoutMs) / 1000,
    }));
  }

  /** Events of steps that were left out because the callbacks, or Node, did not keep up. */
  get coalesced(): number {
    return this.#coalesced;
  }

  /** Resolves when every event so far has been handled. @throws {BhBridgeError} the first failure that a callback ended the training with. */
  async delivered(): Promise<void> {
    await this.#delivered;
    if (this.#failure) throw this.#failure;
  }

  /** Take one message. Events queue behind a callback that is still at work; a question is answered as soon as its decider answers. */
  onMessage(message: ChannelMessage): void {
    if (message.type === "decide") void this.#answer(message);
    else if (message.type === "coalesced") this.#coalesced += message.events;
    else if (isCallbackEvent(message.type)) this.#enqueue(message, message.type);
  }

  onInvalid(cause: unknown): void {
    this.#fail(new BhBridgeError("PROTOCOL_INVALID", `an event of the training is invalid: ${String(cause)}`, { cause }));
  }

  #enqueue(event: TrainEvent, type: CallbackEventType): void {
    const method = callbackMethods[type];
    const observers = this.#callbacks.filter((callback) => callback[method] !== undefined);
    if (observers.length === 0) return;
    if (this.#waiting >= maxWaitingEvents && isCoalescible(event)) {
      this.#coalesced++;
      return;
    }
    this.#waiting++;
    this.#delivered = this.#delivered.then(async () => {
      this.#waiting--;
      for (const callback of observers) await this.#notify(callback, method, event);
    });
  }

  async #notify(callback: TrainerCallback, method: (typeof callbackMethods)[CallbackEventType], event: TrainEvent): Promise<void> {
    if (this.#failure) return;
    const observe = callback[method]?.bind(callback) as (event: TrainEvent) => unknown;
    await this.#guard(callback, method, async () => {
      const result = observe(event);
      if (result instanceof Promise) await within(callback.timeoutMs, result);
    });
  }

  async #answer({ question, decider, state }: Extract<ChannelMessage, { type: "decide" }>): Promise<void> {
    const callback = this.#deciders[decider];
    const ask = async () => parseTrainerControl(await callback?.decide?.ask(state));
    const answer = () => this.#host.answer(`${callback?.constructor.name}.decide`, ask);
    const control = callback && (await this.#guard(callback, "decide", answer));
    this.#host.send({ type: "answer", question, control: control ?? {} });
  }

  async #guard<Value>(callback: TrainerCallback, method: string, task: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await task();
    } catch (cause) {
      const message = `${callback.constructor.name}.${method} threw: ${cause instanceof Error ? cause.message : String(cause)}`;
      if (callback.onError === "continue") process.emitWarning(message, "BhBridgeCallbackWarning");
      else this.#fail(new BhBridgeError("USER_CALLBACK_FAILED", message, { cause }));
      return undefined;
    }
  }

  #fail(error: BhBridgeError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#host.stop();
  }
}

/** Wait for a promise, but not for ever: an observer that never ends would keep `train()` from ending. */
async function within(timeoutMs: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it had not ended after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
