// Count the black holes of a checkpoint (HF directory, safetensors, .pt, .bin, .h5) without Python.
// Run: npx jiti examples/census-of-checkpoint.ts PATH [TENSOR]
import { census, openCheckpoint } from "bh-bridge";

const [, , path, tensor = "transformer.wte.weight"] = process.argv;
if (path === undefined) throw new Error("usage: census-of-checkpoint.ts PATH [TENSOR]");

await using checkpoint = await openCheckpoint(path);
console.log(`${checkpoint.kind} with ${checkpoint.tensors.length} tensors`);

const matrix = await checkpoint.matrix(tensor);
const { rows, unique, C, P, populations, members } = census(matrix);
console.log(`${tensor}: ${matrix.dtype} [${matrix.shape.join(", ")}], ${unique} distinct of ${rows} rows`);
console.log(`C = ${C} black holes, P = ${P} tokens in them: ${populations.join(", ") || "none"}`);
for (const tokens of members.slice(0, 5)) console.log(`  ${tokens.slice(0, 12).join(" ")}${tokens.length > 12 ? " …" : ""}`);
