import type { z } from "zod";
import { modelRequest } from "../../src/bridge/model.js";
import { createRequest } from "../../src/bridge/prepared-run.js";
import { parseRunConfig } from "../../src/config/parse-run-config.js";
import type { ChannelCommand, channelMessageSchema, TrainEventType } from "../../src/protocol/events.js";
import { type Operation, type Operations, protocolVersion, type pythonErrorSchema, type RequestOf } from "../../src/protocol/operations.js";

type WrittenReply<Op extends Operation> = z.input<Operations[Op]["reply"]>;
type WrittenMessage = z.input<typeof channelMessageSchema>;
type WrittenEvent<Type extends TrainEventType> = Extract<WrittenMessage, { type: Type }>;

const handle = { slot: 0, generation: 1 };
const seed = parseRunConfig({});

/** A request of every operation, as it is sent; those that carry a configuration carry that of the default preset. */
export const requests: { readonly [Op in Operation]: RequestOf<Op> } = {
  hello: { protocol: protocolVersion, channel: { path: "/tmp/s/events", token: "00ff" }, threads: null, device: "auto", cores: null },
  renew: {},
  release: { handle },
  "model.create": modelRequest(seed, null),
  "model.tensor": { handle, name: "transformer.wte.weight", path: "/tmp/s/tensor-0" },
  "model.set_tensor": { handle, name: "transformer.wte.weight", path: "/tmp/s/tensor-1", dtype: "F32", shape: [128, 64] },
  "model.forward": {
    handle,
    tokens: [
      [1, 2],
      [3, 4],
    ],
    path: "/tmp/s/tensor-2",
  },
  "model.generate": { handle, tokens: [72], options: { max_new_tokens: 2, do_sample: false }, seed: null },
  "model.save": { handle, directory: "/out", overwrite: false },
  "model.to": { handle, device: "cuda" },
  "trainer.create": createRequest(seed, {
    model: handle,
    run_directory: "/runs/1",
    corpus: "/text",
    tokenizer: null,
    device: "cpu",
    events: ["log"],
    deciders: [{ every: 5, on: ["log"], timeout_seconds: 30 }],
    resume: null,
    start_from: null,
    until: null,
    trace: null,
  }),
  "trainer.train": { handle, training: 1 },
  "trainer.train_stack": {
    trainings: [
      { handle, training: 2 },
      { handle: { slot: 1, generation: 1 }, training: 3 },
    ],
  },
  "trainer.evaluate": { handle },
  "trainer.state": { handle },
  "trainer.close": { handle },
};

/** Replies to every operation, as Python writes them. */
export const replies: { readonly [Op in Operation]: readonly WrittenReply<Op>[] } = {
  hello: [
    {
      protocol: 1,
      python: "3.11.7",
      executable: "/venv/bin/python",
      pid: 4711,
      torch: "2.13.0+cpu",
      packages: { transformers: "5.24.0", accelerate: null },
      platform: "Linux",
      cpu_capability: "AVX512",
      processor: "AMD with AVX512-BF16",
      threads: 2,
      devices: { cuda: ["NVIDIA H100"], mps: false },
    },
    { protocol: 2, python: "3.14.0" },
  ],
  renew: [{}],
  release: [{}],
  "model.create": [
    {
      handle,
      parameter_count: 116160,
      parameters: [{ name: "transformer.wte.weight", shape: [128, 64], dtype: "BF16" }],
      norm: "rmsnorm",
      embedding: "transformer.wte.weight",
      head: "transformer.wte.weight",
    },
  ],
  "model.tensor": [{ dtype: "BF16", shape: [128, 64] }],
  "model.set_tensor": [{}],
  "model.forward": [{ dtype: "F32", shape: [2, 2, 128] }],
  "model.generate": [{ tokens: [72, 101, 108] }],
  "model.save": [{}],
  "model.to": [{ device: "cuda:0" }],
  "trainer.create": [
    {
      handle,
      windows: 265777,
      device: "cpu",
      from_step: 500,
      recorded_step: 700,
      rejected_checkpoints: ["step-000600: MANIFEST.json is missing"],
    },
  ],
  "trainer.train_stack": [
    {
      ended: [
        {
          ok: {
            status: "completed",
            reason: null,
            global_step: 10,
            max_steps: 10,
            steps_this_time: 10,
            seconds: 1.5,
            log_history: [],
            best_metric: null,
          },
          err: null,
        },
        {
          ok: null,
          err: { type: "DiskFull", module: "bh_bridge.errors", message: "no room", code: "DISK_FULL", mro: ["DiskFull", "BridgeError"], traceback: "" },
        },
      ],
    },
  ],
  "trainer.train": [
    {
      status: "stopped",
      reason: "signal",
      global_step: 5,
      max_steps: 10,
      steps_this_time: 5,
      seconds: 1.5,
      log_history: [{ loss: "NaN", step: 5 }],
      best_metric: "-Infinity",
    },
  ],
  "trainer.evaluate": [{ loss: 900.5, perplexity: "Infinity" }],
  "trainer.state": [
    {
      global_step: 5,
      max_steps: 10,
      epoch: 0.1,
      num_train_epochs: 1,
      logging_steps: 0.5,
      train_batch_size: 32,
      best_metric: null,
      best_global_step: null,
      log_history: [],
    },
  ],
  "trainer.close": [{}],
};

const moment = { seq: 7, mono: 12.5, wall: 1700000000.25, global_step: 1, epoch: 0.5 };

/** What each event has beside its moment, as Python writes it. */
const eventFields: { readonly [Type in TrainEventType]: Omit<WrittenEvent<Type>, "type" | keyof typeof moment> } = {
  train_begin: { max_steps: 10, logging_steps: 0.1, num_train_epochs: 1, train_batch_size: null, window_order: null },
  step_end: { loss: 4.5 },
  log: { logs: { loss: 2.5, grad_norm: "Infinity", learning_rate: 0.001 } },
  evaluate: { metrics: { eval_loss: 2.25 } },
  save: { checkpoint: "checkpoints/step-000001" },
  train_end: {},
  predict: { metrics: null },
  init_end: {},
  epoch_begin: {},
  epoch_end: {},
  step_begin: {},
  pre_optimizer_step: {},
  optimizer_step: {},
  substep_end: {},
  prediction_step: {},
  push_begin: {},
  resumed: { recomputed_to: 7 },
  usage: { seconds: 1.5, cpu_cores: 0.9, peak_bytes: 123456789, gpu_peak_bytes: null },
  step_method: { method: "exact", used: true, reason: "equal bits, and faster", reference_seconds: 0.07, seconds: 0.05 },
  alert: { kind: "stall", message: "no step for 60 s" },
  stopped: { reason: "decider" },
  checkpoint_rejected: { problem: "step-000002: model.safetensors is damaged" },
  decider_timeout: { decider: 0 },
};

/** An event of every type. */
export const events = Object.entries(eventFields).map(([type, fields]) => ({ ...moment, type, ...fields }));

const state = { global_step: 5, max_steps: 10, epoch: null, loss: "NaN", best_metric: null, log_history: [{ loss: 2.5, grad_norm: "Infinity" }] } as const;

/** What else Python sends over the event channel. */
export const messages = {
  coalesced: { type: "coalesced", events: 250 },
  decide: { type: "decide", question: 3, decider: 0, event: "log", state: { ...state, log_history: [...state.log_history] } },
} satisfies { [Type in Exclude<WrittenMessage["type"], TrainEventType>]: Extract<WrittenMessage, { type: Type }> };

/** What Node sends over it. */
export const commands = {
  stop: { type: "stop", training: 2, reason: "signal" },
  save: { type: "save", training: 2 },
  answer: { type: "answer", question: 3, control: { should_training_stop: true, should_save: false } },
  interrupt: { type: "interrupt", call: 12 },
  leave: { type: "leave" },
} satisfies { [Type in ChannelCommand["type"]]: Extract<ChannelCommand, { type: Type }> };

/** An exception that was foreseen. */
export const error: z.input<typeof pythonErrorSchema> = {
  type: "RunLocked",
  module: "bh_bridge.errors",
  message: "…",
  code: "RUN_LOCKED",
  mro: ["RunLocked", "BridgeError", "Exception"],
  traceback: "Traceback …",
};
