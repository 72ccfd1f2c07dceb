import type { ReplyOf, RequestOf } from "../protocol/operations.js";
import type { EventReceiver } from "../python/event-channel.js";
import { pythonFailure } from "../python/failures.js";
import type { PythonSession } from "../python/python-session.js";

type TrainRequest = RequestOf<"trainer.train">;
type TrainReply = ReplyOf<"trainer.train">;

/** How a training is listened to and ended. */
interface TrainCall {
  signal?: AbortSignal | undefined;
  receiver: EventReceiver;
  /** Ends it after its step. */
  onAbort: () => void;
}

/** A training that is ready, and waits for the others. */
interface Waiting extends TrainCall {
  request: TrainRequest;
  resolve(reply: TrainReply): void;
  reject(error: unknown): void;
}

/** A place in a stack; whoever has one either trains in it or leaves it. */
export interface StackSeat {
  /** Train with the others, once all are ready. @throws {BhBridgeError} as the call `trainer.train`. */
  train(session: PythonSession, request: TrainRequest, call: TrainCall): Promise<TrainReply>;
  /** Hold up nobody: it does not train, or it has trained. */
  leave(): void;
}

/** Trainings of one Python that begin together, in one call; each is told of its own events, and has its own end. */
export class TrainingStack {
  #awaited = 0;
  #session: PythonSession | undefined;
  readonly #waiting: Waiting[] = [];

  /** One more place. All are taken before anybody trains. */
  seat(): StackSeat {
    this.#awaited++;
    let isTaken = true;
    const rise = () => {
      if (isTaken) this.#awaited--;
      isTaken = false;
    };
    return {
      train: (session, request, call) => {
        rise();
        this.#session = session;
        return new Promise((resolve, reject) => {
          this.#waiting.push({ ...call, request, resolve, reject });
          this.#beginWhenAllAreThere();
        });
      },
      leave: () => {
        rise();
        this.#beginWhenAllAreThere();
      },
    };
  }

  #beginWhenAllAreThere(): void {
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
    for (const [place, { ok, err }] of ended.entries()) {
      if (err !== null) members[place]?.reject(pythonFailure("trainer.train", err));
      else if (ok !== null) members[place]?.resolve(ok);
    }
  } catch (error) {
    for (const member of members) member.reject(error);
  }
}

/** Hands each message to the training that it is of; what is of none, as that steps were left out, to all. */
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
