import type { RetrainedConfig } from "../../../src/report/retraining.js";
import { bfloat16, type PortableLibrary, type RandomStream } from "./library.js";
import { shapeOf, tensorsOf } from "./settings.js";

/**
 * The weights of a run before its first step, as bfloat16, by the name of `tensorsOf`. Random numbers are drawn in the order of GPT-2 in transformers: every
 * layer of PyTorch draws its own first, and then transformers draws them again.
 */
export function initialWeights(library: PortableLibrary, config: RetrainedConfig): Map<string, Uint16Array> {
  const { seed, seeds } = config;
  const stream = library.stream(seeds.weights ?? seed);
  const weights = new Map(tensorsOf(config).map(({ name, shape }) => [name, new Uint16Array(sizeOf(shape))]));
  const one = bfloat16(new Float32Array([1]))[0] ?? 0;
  for (const [name, values] of weights) if (/ln_\w+\.weight$/.test(name)) values.fill(one);
  drawModel(stream, config, weights);
  const own = seeds.init ?? seed;
  if (own !== (seeds.weights ?? seed)) {
    const other = library.stream(own);
    drawModel(other, config, new Map());
    drawEmbedding(other, config, weights);
    other.free();
  } else drawEmbedding(stream, config, weights);
  stream.free();
  return weights;
}

/** The draws of the constructor of a GPT-2. */
function drawModel(stream: RandomStream, config: RetrainedConfig, weights: Map<string, Uint16Array>): void {
  const { vocabulary, positions, hidden, layers, inner } = shapeOf(config);
  const std = config.model.initializer_range;
  const projection = std / Math.sqrt(2 * layers);
  const parts = [
    { name: "attn.c_attn", size: hidden * 3 * hidden, isProjection: false },
    { name: "attn.c_proj", size: hidden * hidden, isProjection: true },
    { name: "mlp.c_fc", size: hidden * inner, isProjection: false },
    { name: "mlp.c_proj", size: inner * hidden, isProjection: true },
  ];
  const put = (name: string, size: number, deviation: number) => {
    const drawn = scaled(stream.normals(size), deviation); // also of tensors that are not wanted
    weights.get(name)?.set(bfloat16(drawn));
  };
  const skip = (size: number) => stream.normals(size);
  skip(vocabulary * hidden);
  skip(positions * hidden);
  for (let layer = 0; layer < layers; layer++) for (const { size } of parts) skip(size);
  put("wte", vocabulary * hidden, std);
  put("wpe", positions * hidden, std);
  for (let layer = 0; layer < layers; layer++) {
    // The attention and the MLP draw their projection again, after their own parts.
    for (const { name, size, isProjection } of parts) {
      put(`${layer}.${name}.weight`, size, std);
      if (isProjection) put(`${layer}.${name}.weight`, size, projection);
    }
  }
  stream.uniforms(vocabulary * hidden);
  put("lm_head", vocabulary * hidden, std); // with a tied head these numbers are drawn and not used
}

/** The initial state of the embedding: as `initialize` in python/bh_bridge/models/initial_state.py. */
function drawEmbedding(stream: RandomStream, config: RetrainedConfig, weights: Map<string, Uint16Array>): void {
  const { init } = config;
  const { vocabulary, hidden } = shapeOf(config);
  const embedding = weights.get("wte");
  if (!embedding || init.kind === "normal") return;
  const base = init.kind === "snowball" ? stream.normals(hidden) : stream.unitVector(hidden);
  const noise = init.kind === "singular" ? undefined : scaled(stream.normals(vocabulary * hidden), init.sigma);
  const rows = new Float32Array(vocabulary * hidden).map((_, index) => (base[index % hidden] ?? 0) + (noise?.[index] ?? 0));
  embedding.set(bfloat16(rows));
}

/** Multiply float32 numbers in float32. A negative zero becomes zero, as when torch adds the mean. */
function scaled(values: Float32Array, factor: number): Float32Array {
  const narrow = Math.fround(factor);
  return values.map((value) => value * narrow + 0);
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
