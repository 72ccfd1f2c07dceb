// The same work through pythonia alone, in a process of its own: prints one JSON line of milliseconds.
import { fileURLToPath } from "node:url";
import { python } from "pythonia";

const module = await python(fileURLToPath(new URL("raw_pythonia.py", import.meta.url)));

async function milliseconds(task) {
  const started = performance.now();
  await task();
  return performance.now() - started;
}

const calls = 2000;
const steps = 1000;
await module.echo("warm");
const result = {
  call:
    (await milliseconds(async () => {
      for (let index = 0; index < calls; index++) await module.echo("{}");
    })) / calls,
  callback: (await milliseconds(() => module.call_back$(() => undefined, steps, { $timeout: 600_000 }))) / steps,
  // Each element is asked for by itself unless the whole is turned into a JavaScript value.
  millionFloats: await milliseconds(async () => (await module.floats(1_000_000)).valueOf()),
  reply16MB: await milliseconds(() => module.long_text(16_000_000)),
};
console.log(JSON.stringify(result));
python.exit();
