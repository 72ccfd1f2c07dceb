import { BhBridgeError } from "../errors.js";
import { type ChannelCommand, type ChannelMessage, coalescibleEvents, parseTrainerControl, type TrainEvent } from "../protocol/events.js";
import type { EventReceiver } from "../python/event-channel.js";
import { type CallbackEventType, callbackMethods, type TrainerCallback } from "./trainer-callback.js";

/** Longest timer of Node, 24.8 days; a longer one fires at once. */
const longestMs = 2 ** 31 - 1;
const decisive: readonly unknown[] = ["step_end", "log", "evaluate"];

/** Check timeouts and cadences of callbacks. @throws {BhBridgeError} `USAGE` naming the callback and the field. */
export function checkCallbacks(callbacks: readonly TrainerCallback[]): void {
  for (const [index, callback] of callbacks.entries()) {
    const { timeoutMs, decide } = callback;
    const require = (path: string, value: string | number | undefined, isValid: boolean, expected: string) => {
      if (isValid || value === undefined) return;
      throw new BhBridgeError("USAGE", `callbacks[${index}].${path} of ${callback.constructor.name} is ${String(value)}: give ${expected}`);
    };
    const isTime = (value = 0) => value > 0 && value <= longestMs;
    const milliseconds = `milliseconds above 0, and up to ${longestMs} (24 days)`;
    require("timeoutMs", timeoutMs, isTime(timeoutMs), milliseconds);
    require("decide.timeoutMs", decide?.timeoutMs, isTime(decide?.timeoutMs), milliseconds);
    require("decide.every", decide?.every, Number.isSafeInteger(decide?.every) && Number(decide?.every) >= 1, "a whole number of steps, from 1 on");
    require("decide.on", decide?.on?.find((event) => !decisive.includes(event)), false, `some of ${decisive.join(", ")}`);
  }
}

const coalescible: ReadonlySet<string> = new Set(coalescibleEvents);

/** Whether an event may be dropped for a slow reader. */
export function isCoalescible({ type }: TrainEvent): boolean {
  return coalescible.has(type);
}

/** Events buffered for a slow reader: 20 MB at about 300 bytes each. */
export const maxWaitingEvents = 65_536;

const defaultDeciderTimeoutMs = 30_000;

function isCallbackEvent(type: string): type is CallbackEventType {
  return Object.hasOwn(callbackMethods, type);
}

interface DispatcherHost {
  send(command: ChannelCommand): void;
  /** End the training after its current step: a callback has failed. */
  stop(): void;
  /** Run a task that Python waits for. */
  answer<Value>(name: string, task: () => Promise<Value>): Promise<Value>;
}

/** Delivers events to callbacks in order, one at a time, and answers questions to deciders. */
export class CallbackDispatcher implements EventReceiver {
  readonly #callbacks: readonly TrainerCallback[];
  readonly #deciders: readonly TrainerCallback[];
  readonly #host: DispatcherHost;
  #delivered: Promise<void> = Promise.resolve();
  #waiting = 0;
  #coalesced = 0;
  #failure: BhBridgeError | undefined;

  /** @throws {BhBridgeError} as `checkCallbacks`. */
  constructor(callbacks: readonly TrainerCallback[], host: DispatcherHost) {
    checkCallbacks(callbacks);
    this.#callbacks = callbacks;
    this.#deciders = callbacks.filter((callback) => callback.decide !== undefined);
    this.#host = host;
  }

  get events(): CallbackEventType[] {
    const types = Object.keys(callbackMethods) as CallbackEventType[];
    return types.filter((type) => this.#callbacks.some((callback) => callback[callbackMethods[type]] !== undefined));
  }

  /** The deciders for the request to Python. */
  get deciders() {
    return this.#deciders.map(({ decide }) => ({
      every: decide?.every ?? null,
      on: [...(decide?.on ?? [])],
      timeout_seconds: (decide?.timeoutMs ?? defaultDeciderTimeoutMs) / 1000,
    }));
  }

  /** Number of step events dropped because the callbacks, or Node, did not keep up. */
  get coalesced(): number {
    return this.#coalesced;
  }

  /** Resolves when every event so far has been handled. @throws {BhBridgeError} the first failure of a callback. */
  async delivered(): Promise<void> {
    await this.#delivered;
    if (this.#failure) throw this.#failure;
  }

  /** Receive one message. Events queue behind a callback that is still running; a question is answered as soon as its decider answers. */
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

/** Wait for a promise with a timeout, since an observer that never ends would block `train()`. */
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
