import type { Handle, ReplyOf } from "../protocol/operations.js";
import type { EventReceiver } from "../python/event-channel.js";
import type { PythonSession } from "../python/python-session.js";
import type { CallbackDispatcher } from "./callback-dispatcher.js";
import { createRequest } from "./create-request.js";
import { environmentPin } from "./environment-pin.js";
import type { ResolvedDevice } from "./resolve-device.js";
import { planResume } from "./resume-plan.js";
import { RunRecord } from "./run-record.js";
import { StartedRun } from "./started-run.js";
import type { ResumeOptions, TrainerSetup } from "./trainer-options.js";
import { UnstartedRun } from "./unstarted-run.js";

/** What a run is prepared with. */
export interface Preparation extends TrainerSetup {
  session: PythonSession;
  device: ResolvedDevice;
  dispatcher: CallbackDispatcher;
  /** Receives what Python sends meanwhile. */
  receiver: EventReceiver;
}

/** A run that Python is ready to train. */
export interface PreparedRun {
  run: StartedRun;
  record: RunRecord;
  handle: Handle;
  /** The training begins with the weights that the model has by then, not with those of a checkpoint of the run. */
  isFromStart: boolean;
  /** Of a new run. */
  unstarted?: UnstartedRun;
}

/** Make a new run. @throws {BhBridgeError} as `Trainer.prepare`; nothing is left then. */
export async function beginRun(preparation: Preparation, signal: AbortSignal | undefined): Promise<PreparedRun> {
  const { session, device } = preparation;
  const record = await RunRecord.create(preparation, environmentPin(session.environment, device));
  const unstarted = new UnstartedRun(record, session.ended);
  const reply = await createTrainer(preparation, record, null, signal, unstarted);
  return hearCallbacks(preparation, { run: new StartedRun(record, reply), record, handle: reply.handle, isFromStart: true, unstarted });
}

/**
 * Go back to where a run ended. Its lock is Python's to take, so nothing is written before Python has answered.
 *
 * @throws {BhBridgeError} as `Trainer.resume`.
 */
export async function reopenRun(preparation: Preparation, directory: string, { allowInexact = false, signal }: ResumeOptions): Promise<PreparedRun> {
  const { session, resolved, corpus, device } = preparation;
  const environment = environmentPin(session.environment, device);
  const plan = planResume(directory, { config: resolved.config, corpus, environment }, allowInexact);
  const record = RunRecord.reopen(plan);
  const reply = await createTrainer(preparation, record, plan.exact ? "exact" : "inexact", signal);
  if (reply.from_step > 0) preparation.model.changes.push(`its weights were replaced by those of a checkpoint of ${record.directory}`);
  record.resumed(plan, resolved, environment, reply);
  return hearCallbacks(preparation, { run: new StartedRun(record, reply), record, handle: reply.handle, isFromStart: reply.from_step === 0 });
}

/** Let Python forget a prepared run. Its directory goes as well when its training never began. */
export async function letGo(session: PythonSession, { handle, unstarted }: Pick<PreparedRun, "handle" | "unstarted">): Promise<void> {
  await session.forget("trainer.close", handle);
  unstarted?.discard();
}

async function createTrainer(
  { session, resolved, model, corpus, device, dispatcher, receiver, until, trace }: Preparation,
  { directory, manifest }: RunRecord,
  resume: "exact" | "inexact" | null,
  signal: AbortSignal | undefined,
  unstarted?: UnstartedRun,
): Promise<ReplyOf<"trainer.create">> {
  const request = createRequest(resolved.config, {
    model: model.handle,
    run_directory: directory,
    corpus: corpus.files?.map(({ path, windows }) => ({ path, windows })) ?? corpus.path,
    tokenizer: corpus.tokenizer?.path ?? null,
    device: device.kind,
    events: dispatcher.events,
    deciders: dispatcher.deciders,
    resume,
    start_from: manifest.start_from,
    until: until ?? null,
    trace: trace ?? null,
  });
  const onAbandoned = (reply?: ReplyOf<"trainer.create">) => {
    if (reply) void letGo(session, { handle: reply.handle, ...(unstarted && { unstarted }) });
    else unstarted?.discard();
  };
  try {
    return await session.invoke("trainer.create", request, { signal, receiver, onAbandoned });
  } catch (error) {
    if (!signal?.aborted) unstarted?.discard(); // else Python may still be writing into it
    throw error;
  }
}

/** Wait for what the callbacks say to `onInitEnd`. */
async function hearCallbacks({ session, dispatcher }: Preparation, prepared: PreparedRun): Promise<PreparedRun> {
  try {
    await dispatcher.delivered();
    return prepared;
  } catch (error) {
    await letGo(session, prepared);
    throw error;
  }
}
