import type { ReplyOf, RequestOf } from "../protocol/operations.js";
import type { EventReceiver } from "../python/event-channel.js";
import { pythonFailure } from "../python/failures.js";
import type { PythonSession } from "../python/python-session.js";

type TrainRequest = RequestOf<"trainer.train">;
type TrainReply = ReplyOf<"trainer.train">;

interface TrainCall {
  signal?: AbortSignal | undefined;
  receiver: EventReceiver;
  /** Ends the training after its current step. */
  onAbort: () => void;
}

/** A training that waits until the others are ready. */
interface Waiting extends TrainCall {
  request: TrainRequest;
  resolve(reply: TrainReply): void;
  reject(error: unknown): void;
}

/** A slot in batched runs; its owner either trains or leaves. */
export interface StackSlot {
  /** Train with the others, once all are ready. @throws {BhBridgeError} as the call `trainer.train`. */
  train(session: PythonSession, request: TrainRequest, call: TrainCall): Promise<TrainReply>;
  /** Release the slot, so that the others do not wait for it. */
  leave(): void;
}

/** Batched runs: trainings of one Python that start in one call. Each has its own events and its own end. */
export class TrainingStack {
  #awaited = 0;
  #session: PythonSession | undefined;
  readonly #waiting: Waiting[] = [];

  /** Reserve a slot. All slots are reserved before the first training starts. */
  slot(): StackSlot {
    this.#awaited++;
    let isTaken = true;
    const release = () => {
      if (isTaken) this.#awaited--;
      isTaken = false;
    };
    return {
      train: (session, request, call) => {
        release();
        this.#session = session;
        return new Promise((resolve, reject) => {
          this.#waiting.push({ ...call, request, resolve, reject });
          this.#startWhenAllAreReady();
        });
      },
      leave: () => {
        release();
        this.#startWhenAllAreReady();
      },
    };
  }

  #startWhenAllAreReady(): void {
    if (this.#awaited > 0 || this.#waiting.length === 0 || !this.#session) return;
    void trainTogether(this.#session, this.#waiting.splice(0));
  }
}

async function trainTogether(session: PythonSession, members: readonly Waiting[]): Promise<void> {
  const trainings = members.map(({ request }) => request);
  const onAbort = () => {
    for (const member of members) member.onAbort();
  };
  try {
    const { ended } = await session.invoke("trainer.train_stack", { trainings }, { signal: members[0]?.signal, onAbort, receiver: receiverOf(members) });
    for (const [index, { ok, err }] of ended.entries()) {
      if (err !== null) members[index]?.reject(pythonFailure("trainer.train", err));
      else if (ok !== null) members[index]?.resolve(ok);
    }
  } catch (error) {
    for (const member of members) member.reject(error);
  }
}

/** Deliver each message to its training, and messages without one (dropped steps) to all. */
function receiverOf(members: readonly Waiting[]): EventReceiver {
  const byTraining = new Map(members.map(({ request, receiver }) => [request.training, receiver]));
  const receivers = [...byTraining.values()];
  return {
    onMessage(message, training) {
      if (training !== undefined) byTraining.get(training)?.onMessage(message);
      else for (const receiver of receivers) receiver.onMessage(message);
    },
    onInvalid(error) {
      for (const receiver of receivers) receiver.onInvalid(error);
    },
  };
}
