import { BhBridgeError } from "../errors.js";
import type { ChannelCommand, ChannelMessage, TrainEvent } from "../protocol/events.js";
import { type CallbackEventType, callbackMethods, type TrainerCallback } from "./trainer-callback.js";

/** How long training waits for a decider that names no time of its own. */
const defaultDeciderTimeoutMs = 30_000;

function isCallbackEvent(type: string): type is CallbackEventType {
  return Object.hasOwn(callbackMethods, type);
}

/** Hands events to callbacks in order, one at a time, and answers the questions to deciders. */
export class CallbackDispatcher {
  readonly #callbacks: readonly TrainerCallback[];
  readonly #deciders: readonly TrainerCallback[];
  readonly #send: (command: ChannelCommand) => void;
  readonly #stop: () => void;
  #delivered: Promise<void> = Promise.resolve();
  #failure: BhBridgeError | undefined;

  /** @param stop ends the training after its current step. */
  constructor(callbacks: readonly TrainerCallback[], send: (command: ChannelCommand) => void, stop: () => void) {
    this.#callbacks = callbacks;
    this.#deciders = callbacks.filter((callback) => callback.decide !== undefined);
    this.#send = send;
    this.#stop = stop;
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

  /** The first error of a callback that ends the training. */
  get failure(): BhBridgeError | undefined {
    return this.#failure;
  }

  /** Resolves when every event so far has been handled. */
  get delivered(): Promise<void> {
    return this.#delivered;
  }

  /** Take one message. Events queue behind a callback that is still at work; a question is answered as soon as its decider answers. */
  receive(message: ChannelMessage): void {
    if (message.type === "decide") void this.#answer(message);
    else if (message.type !== "coalesced") this.#queue(message);
  }

  /** A failure that is not a callback's, such as a message that makes no sense. */
  fail(error: BhBridgeError): void {
    this.#failure ??= error;
    this.#stop();
  }

  #queue(event: TrainEvent): void {
    const { type } = event;
    if (!isCallbackEvent(type)) return;
    const method = callbackMethods[type];
    for (const callback of this.#callbacks) {
      if (!callback[method]) continue;
      const notify = callback[method].bind(callback) as (event: TrainEvent) => unknown;
      this.#delivered = this.#delivered.then(async () => {
        if (!this.#failure) await this.#guard(callback, method, () => notify(event));
      });
    }
  }

  async #answer({ question, decider, state }: Extract<ChannelMessage, { type: "decide" }>): Promise<void> {
    const callback = this.#deciders[decider];
    const control = callback?.decide && (await this.#guard(callback, "decide", () => callback.decide?.ask(state)));
    this.#send({ type: "answer", question, control: control ?? {} });
  }

  async #guard<Value>(callback: TrainerCallback, method: string, task: () => Value | Promise<Value>): Promise<Value | undefined> {
    try {
      return await task();
    } catch (cause) {
      const message = `${callback.constructor.name}.${method} threw: ${cause instanceof Error ? cause.message : String(cause)}`;
      if (callback.onError === "continue") process.emitWarning(message, "BhBridgeCallbackWarning");
      else this.fail(new BhBridgeError("USER_CALLBACK_FAILED", message, { cause }));
      return undefined;
    }
  }
}
