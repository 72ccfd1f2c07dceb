import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { Bridge } from "../../src/bridge/bridge.js";
import { modelRequest } from "../../src/bridge/model.js";
import { parseRunConfig } from "../../src/config/parse-run-config.js";
import { PythonSession } from "../../src/python/python-session.js";
import { describeMachine, median, projectRoot, python, spread } from "../measure.js";

/**
 * What the bridge costs, beside pythonia alone in the same run: a call, an event of a step, the start, a million floats, a reply of 16 MB.
 * In turn, so that both see the same machine; medians of all rounds.
 */
const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" } } });
const rounds = Number(values.rounds);
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

async function milliseconds(task: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await task();
  return performance.now() - started;
}

interface Raw {
  call: number;
  callback: number;
  millionFloats: number;
  reply16MB: number;
}

async function raw(): Promise<Raw> {
  const { stdout } = await execa(process.execPath, [here("raw-pythonia.mjs")], { env: { PYTHON_BIN: python } });
  return JSON.parse(stdout) as Raw;
}

async function eventCost(): Promise<{ logged: number; observed: number }> {
  const { stdout } = await execa(python, [here("event_cost.py")]);
  return JSON.parse(stdout) as { logged: number; observed: number };
}

/** The bridge with operations that need no torch: those of its tests. */
async function calls(): Promise<{ call: number; reply16MB: number }> {
  process.env["PYTHONPATH"] = `${projectRoot}tests/bridge/light`;
  const session = await PythonSession.start({ python, threads: 1, device: "cpu" });
  delete process.env["PYTHONPATH"];
  const count = 2000;
  const handle = { slot: 0, generation: 1 };
  await session.invoke("model.create", modelRequest(parseRunConfig({ seed: 1 }), null));
  await session.invoke("release", { handle: { slot: 9, generation: 1 } });
  const call =
    (await milliseconds(async () => {
      for (let index = 0; index < count; index++) await session.invoke("release", { handle: { slot: 9, generation: 1 } });
    })) / count;
  const length = Math.ceil(16_000_000 / 3); // "7, " takes 3 bytes
  const reply16MB = await milliseconds(() => session.invoke("model.generate", { handle, tokens: [], options: { max_new_tokens: length }, seed: null }));
  await session.close();
  return { call, reply16MB };
}

async function startAndTensor(): Promise<{ start: number; plain: number; get: number; set: number }> {
  const plain = await milliseconds(async () => {
    const child = execa(python, ["-c", "import torch, time; print(1, flush=True); time.sleep(60)"], { reject: false });
    await once(child.stdout, "data"); // not its exit, which takes a while
    child.kill("SIGKILL");
  });
  let bridge: Bridge | undefined;
  const start = await milliseconds(async () => {
    bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
  });
  if (!bridge) throw new Error("it has started");
  const model = await bridge.createModel({ config: { vocab_size: 8192, n_embd: 128, n_layer: 1 }, dtype: "float32", init: { kind: "normal" } });
  const wte = await model.tensor("transformer.wte.weight"); // 8,192 × 128 = 1,048,576 floats
  const get = await milliseconds(() => model.tensor("transformer.wte.weight"));
  const set = await milliseconds(() => model.setTensor("transformer.wte.weight", wte));
  await bridge.close();
  return { start, plain, get, set };
}

console.log(`Bridge, ${rounds} rounds\n${await describeMachine()}\n`);
const results: { alone: Raw; call: number; reply16MB: number; start: number; plain: number; get: number; set: number; logged: number; observed: number }[] = [];
for (let round = 0; round < rounds; round++) {
  results.push({ alone: await raw(), ...(await calls()), ...(await startAndTensor()), ...(await eventCost()) });
}
const column = (pick: (result: (typeof results)[number]) => number) => results.map(pick);

console.log("Call and reply (ours: checked on both sides, errors kept)");
console.log(
  spread(
    "bridge",
    column(({ call }) => call * 1000),
    "µs",
  ),
);
console.log(
  spread(
    "pythonia alone",
    column(({ alone }) => alone.call * 1000),
    "µs",
  ),
);
console.log("A step's event, in the time of training");
console.log(
  spread(
    "written to disk and sent",
    column(({ logged }) => logged),
    "µs",
  ),
);
console.log(
  spread(
    "sent to an observer",
    column(({ observed }) => observed),
    "µs",
  ),
);
console.log(
  spread(
    "pythonia alone, a JS callback",
    column(({ alone }) => alone.callback * 1000),
    "µs",
  ),
);
console.log("Start, until torch is imported");
console.log(
  spread(
    "bridge, interpreter probed first",
    column(({ start }) => start / 1000),
    "s",
  ),
);
console.log(
  spread(
    "plain Python",
    column(({ plain }) => plain / 1000),
    "s",
  ),
);
console.log(
  spread(
    "difference",
    column(({ start, plain }) => (start - plain) / 1000),
    "s",
  ),
);
console.log("A million floats");
console.log(
  spread(
    "bridge, tensor()",
    column(({ get }) => get),
    "ms",
  ),
);
console.log(
  spread(
    "bridge, setTensor()",
    column(({ set }) => set),
    "ms",
  ),
);
console.log(
  spread(
    "pythonia alone, a list",
    column(({ alone }) => alone.millionFloats),
    "ms",
  ),
);
console.log("A reply of 16 MB");
console.log(
  spread(
    "bridge, parsed and checked",
    column(({ reply16MB }) => reply16MB),
    "ms",
  ),
);
console.log(
  spread(
    "pythonia alone, a string",
    column(({ alone }) => alone.reply16MB),
    "ms",
  ),
);
console.log(`\nA call costs ${(median(column(({ call, alone }) => call / alone.call))).toFixed(1)} times what it costs in pythonia alone.`);
