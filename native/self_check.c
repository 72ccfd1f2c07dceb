/* A small fixed training with every kind of layer, as one number. */
#include "numbers.h"
#include "threads.h"

#define STEPS 2
#define MOST_TENSORS 32
#define BATCH 9
#define LENGTH 18

/* FNV-1a */
static uint64_t hash_more(uint64_t hash, const void *memory, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ ((const uint8_t *)memory)[i]) * 0x100000001b3u;
  return hash;
}

typedef struct {
  bh_bf16 *weights[MOST_TENSORS], *gradients[MOST_TENSORS], *first[MOST_TENSORS], *second[MOST_TENSORS];
  int64_t sizes[MOST_TENSORS];
} state;

/* Weights of a model: normal numbers times 0.2, or 1 + that for norms (short tensors). Each tensor is `halvings` times
 * smaller by half than the one before, seven in a row: numbers near the ends of the range, where sums cancel. */
static int make_state(const bh_trainer *trainer, bh_stream *stream, int halvings, state *made) {
  for (int32_t i = 0; i < bh_tensor_count(trainer); i++) {
    const int64_t size = made->sizes[i] = bh_tensor_size(trainer, i), rounded_up = (size + 15) / 16 * 16;
    float *draws = allocate((size_t)rounded_up * sizeof(float));
    bh_bf16 **all[] = {&made->weights[i], &made->gradients[i], &made->first[i], &made->second[i]};
    int is_missing = !draws;
    for (int k = 0; k < 4; k++) is_missing |= !(*all[k] = allocate((size_t)size * sizeof(bh_bf16)));
    const float scale = 1.0f / (float)((int64_t)1 << halvings * (i % 7));
    if (!is_missing) {
      bh_uniforms(stream, draws, rounded_up);
      bh_normals(draws, rounded_up);
      for (int64_t j = 0; j < size; j++) {
        made->weights[i][j] = round_bf16((draws[j] * 0.2f + (size < 32 ? 1.0f : 0.0f)) * scale);
        made->first[i][j] = made->second[i][j] = 0;
      }
    }
    release(draws);
    if (is_missing) return 0;
  }
  return 1;
}

static uint64_t check_shape(uint64_t hash, const bh_shape *shape, int halvings) {
  const float scales[] = {0.5f};
  bh_trainer *trainer = bh_open(shape, scales, 1);
  state all = {0};
  bh_stream stream;
  bh_seed(&stream, 42);
  if (trainer && make_state(trainer, &stream, halvings, &all)) {
    const int32_t count = bh_tensor_count(trainer);
    int32_t tokens[BATCH * LENGTH], targets[BATCH * LENGTH];
    for (int64_t step = 1; step <= STEPS; step++) {
      for (int i = 0; i < BATCH * LENGTH; i++) {
        tokens[i] = (int32_t)(bh_random(&stream) % (uint32_t)shape->vocabulary);
        targets[i] = i % 5 ? (int32_t)(bh_random(&stream) % (uint32_t)shape->vocabulary) : -1;
      }
      double loss;
      bh_gradients(trainer, (const bh_bf16 *const *)all.weights, all.gradients, tokens, targets, BATCH, LENGTH,
                   BATCH * LENGTH, 0, &loss);
      for (int32_t i = 0; i < count; i++)
        hash = hash_more(hash, all.gradients[i], (size_t)all.sizes[i] * sizeof(bh_bf16));
      const float norm = bh_clip(all.gradients, all.sizes, count, 1);
      const bh_adamw_settings settings = {0.01, 0.9, 0.999, 1e-8, 0.01, step};
      for (int32_t i = 0; i < count; i++)
        bh_adamw(all.weights[i], all.gradients[i], all.first[i], all.second[i], NULL, all.sizes[i], 0, &settings);
      hash = hash_more(hash_more(hash, &loss, sizeof loss), &norm, sizeof norm);
    }
    for (int32_t i = 0; i < count; i++) hash = hash_more(hash, all.weights[i], (size_t)all.sizes[i] * sizeof(bh_bf16));
  } else
    hash = 0;
  for (int32_t i = 0; i < MOST_TENSORS; i++) {
    release(all.weights[i]);
    release(all.gradients[i]);
    release(all.first[i]);
    release(all.second[i]);
  }
  bh_close(trainer);
  return hash;
}

uint64_t bh_self_check(void) {
  const bh_shape shapes[] = {
      {.vocabulary = 37, .positions = 18, .hidden = 20, .layers = 1, .heads = 2, .kv_heads = 2, .head_size = 10,
       .inner = 44, .norm = BH_RMS_NORM, .mlp = BH_GELU, .attention_bias = 1, .mlp_bias = 1, .tied = 1, .epsilon = 1e-5f},
      {.vocabulary = 37, .positions = 18, .hidden = 20, .layers = 1, .heads = 2, .kv_heads = 2, .head_size = 10,
       .inner = 44, .norm = BH_LAYER_NORM, .mlp = BH_GELU, .attention_bias = 1, .mlp_bias = 1, .epsilon = 1e-5f},
      {.vocabulary = 37, .positions = 18, .hidden = 20, .layers = 1, .heads = 4, .kv_heads = 2, .head_size = 6,
       .inner = 28, .norm = BH_RMS_NORM, .mlp = BH_SWIGLU, .rope = 1, .head_norm = 1, .out_first = 1, .epsilon = 1e-6f,
       .rope_theta = 10000},
  };
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int halvings = 0; halvings <= 9; halvings += 9) hash = check_shape(hash, &shapes[i], halvings);
  return hash;
}
