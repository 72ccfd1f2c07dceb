/* A trainer: its tensors, layers and memory. */
#include <stdlib.h>

#include "model.h"
#include "pointwise.h"

/* Memory is laid out twice: once to learn its size (base = 0), once for real. */
typedef struct {
  uintptr_t base;
  size_t used;
} arena;

static void *take_bytes(arena *from, size_t bytes) {
  void *here = (void *)(from->base + from->used);
  from->used += (bytes + 63) & ~(size_t)63;
  return from->base ? here : NULL;
}

static float *take(arena *from, int64_t numbers) { return take_bytes(from, (size_t)numbers * sizeof(float)); }

/* Appends a tensor; returns its index. */
static int32_t add_tensor(bh_trainer *trainer, int64_t rows, int64_t columns) {
  const int32_t index = trainer->tensor_count++;
  if (trainer->tensors) trainer->tensors[index] = (tensor){rows, columns, trainer->sums_size};
  trainer->sums_size += rows * padded(columns);
  return index;
}

static linear make_linear(bh_trainer *trainer, arena *memory, int64_t in, int64_t out, int has_bias) {
  const int out_first = trainer->shape.out_first;
  linear of = {.in = in, .out = out, .out_first = out_first, .bias = NONE};
  of.weight = out_first ? add_tensor(trainer, out, in) : add_tensor(trainer, in, out);
  if (has_bias) of.bias = add_tensor(trainer, 1, out);
  of.forward = take(memory, packed_size(in, out));
  of.backward = take(memory, packed_size(out, in));
  of.shift = has_bias ? take(memory, padded(out)) : NULL;
  return of;
}

static norm_layer make_norm(bh_trainer *trainer, arena *memory, int64_t width, int is_layer_norm) {
  norm_layer of = {.bias = NONE, .kind = {width, is_layer_norm, trainer->shape.epsilon}};
  of.weight = add_tensor(trainer, 1, width);
  of.scale = take(memory, padded(width));
  if (is_layer_norm) {
    of.bias = add_tensor(trainer, 1, width);
    of.shift = take(memory, padded(width));
  }
  return of;
}

static layer make_layer(bh_trainer *trainer, arena *memory) {
  const bh_shape *shape = &trainer->shape;
  const int64_t queries = query_width(shape), keys = kv_width(shape);
  layer of = {.of_query = {.weight = NONE}, .of_key = {.weight = NONE}};
  of.before_attention = make_norm(trainer, memory, shape->hidden, shape->norm);
  if (trainer->projections == 1)
    of.projection[0] = make_linear(trainer, memory, shape->hidden, queries + 2 * keys, shape->attention_bias);
  else
    for (int i = 0; i < 3; i++)
      of.projection[i] = make_linear(trainer, memory, shape->hidden, i ? keys : queries, shape->attention_bias);
  of.output = make_linear(trainer, memory, queries, shape->hidden, shape->attention_bias);
  if (shape->head_norm) {
    of.of_query = make_norm(trainer, memory, shape->head_size, BH_RMS_NORM);
    of.of_key = make_norm(trainer, memory, shape->head_size, BH_RMS_NORM);
  }
  of.before_mlp = make_norm(trainer, memory, shape->hidden, shape->norm);
  if (shape->mlp == BH_SWIGLU) of.gate = make_linear(trainer, memory, shape->hidden, shape->inner, shape->mlp_bias);
  of.up = make_linear(trainer, memory, shape->hidden, shape->inner, shape->mlp_bias);
  of.down = make_linear(trainer, memory, shape->inner, shape->hidden, shape->mlp_bias);
  return of;
}

static norm_state make_norm_state(arena *memory, int64_t rows, int64_t stride) {
  return (norm_state){take(memory, rows * padded(stride)), take(memory, rows), take(memory, rows)};
}

static layer_state make_layer_state(const bh_trainer *trainer, arena *memory) {
  const bh_shape *shape = &trainer->shape;
  const int64_t length = shape->positions, queries = query_width(shape), keys = kv_width(shape);
  const int64_t hidden = length * padded(shape->hidden), inner = length * padded(shape->inner);
  layer_state of = {0};
  of.before_attention = make_norm_state(memory, length, shape->hidden);
  of.before_mlp = make_norm_state(memory, length, shape->hidden);
  if (shape->head_norm) {
    of.of_query = (norm_state){take(memory, length * padded(queries)), take(memory, length * shape->heads), NULL};
    of.of_key = (norm_state){take(memory, length * padded(keys)), take(memory, length * shape->kv_heads), NULL};
  }
  of.attention_in = take(memory, hidden);
  for (int i = 0; i < trainer->projections; i++) {
    const int64_t width = trainer->projections == 1 ? queries + 2 * keys : i ? keys : queries;
    of.projected[i] = take(memory, length * padded(width));
  }
  of.weights = take(memory, shape->heads * length * padded(length));
  of.attended = take(memory, length * padded(queries));
  of.mlp_in = take(memory, hidden);
  of.active = take(memory, inner);
  of.slope = take(memory, inner);
  if (shape->mlp == BH_SWIGLU) {
    of.up = take(memory, inner);
    of.value = take(memory, inner);
  }
  return of;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static attention_scratch make_scratch(const bh_shape *shape, arena *memory) {
  const int64_t length = shape->positions, along = length * padded(shape->head_size);
  const int64_t across = shape->head_size * padded(length);
  attention_scratch of;
  of.query = take(memory, along);
  of.key = take(memory, along);
  of.value = take(memory, along);
  of.output = take(memory, along);
  of.key_sum = take(memory, along);
  of.value_sum = take(memory, along);
  of.across = take(memory, across);
  of.columns = take(memory, along);
  of.scores = take(memory, BLOCK * padded(length));
  for (int i = 0; i < 2; i++) of.factor[i] = take(memory, BLOCK * larger(padded(length), padded(shape->head_size)));
  return of;
}

static void make_workspace(const bh_trainer *trainer, arena *memory, workspace *of) {
  const bh_shape *shape = &trainer->shape;
  const int64_t length = shape->positions, queries = query_width(shape), keys = kv_width(shape);
  const int64_t hidden = length * padded(shape->hidden), inner = length * padded(shape->inner);
  workspace made = {0};
  made.layers = take_bytes(memory, (size_t)shape->layers * sizeof(layer_state));
  for (int32_t i = 0; i < shape->layers; i++) {
    const layer_state state = make_layer_state(trainer, memory);
    if (made.layers) made.layers[i] = state;
  }
  made.last = make_norm_state(memory, length, shape->hidden);
  made.scratch = make_scratch(shape, memory);
  made.x = take(memory, hidden);
  made.grad = take(memory, hidden);
  for (int i = 0; i < 2; i++) made.hidden[i] = take(memory, hidden);
  for (int i = 0; i < trainer->projections; i++) {
    const int64_t width = trainer->projections == 1 ? queries + 2 * keys : i ? keys : queries;
    made.projected_grad[i] = take(memory, length * padded(width));
  }
  made.attended_grad = take(memory, length * padded(queries));
  made.gated_grad = shape->mlp == BH_SWIGLU ? take(memory, inner) : NULL;
  made.up_grad = take(memory, inner);
  made.last_out = take(memory, hidden);
  made.logits = take(memory, length * padded(shape->vocabulary));
  const int64_t widest = larger(larger(shape->vocabulary, shape->inner), larger(shape->hidden, queries + 2 * keys));
  for (int i = 0; i < 2 && PAIRS; i++) made.factor[i] = take(memory, length * padded(widest));
  if (of) *of = made;
}

/* Lay out everything; with memory->base = 0 only its size is found. */
static void lay_out(bh_trainer *trainer, arena *memory, int32_t threads, const float *scales) {
  const bh_shape *shape = &trainer->shape;
  const int32_t tensors = trainer->tensor_count;
  trainer->sums_size = 0;
  trainer->tensor_count = 0;
  trainer->tensors = take_bytes(memory, (size_t)tensors * sizeof(tensor));
  trainer->embedding = add_tensor(trainer, shape->vocabulary, shape->hidden);
  trainer->positions = shape->rope ? NONE : add_tensor(trainer, shape->positions, shape->hidden);
  trainer->layers = take_bytes(memory, (size_t)shape->layers * sizeof(layer));
  for (int32_t i = 0; i < shape->layers; i++) {
    layer made = make_layer(trainer, memory);
    made.attention_scale = scales[i];
    if (trainer->layers) trainer->layers[i] = made;
  }
  trainer->last = make_norm(trainer, memory, shape->hidden, shape->norm);
  trainer->head = (linear){.weight = trainer->embedding, .bias = NONE, .in = shape->hidden, .out = shape->vocabulary};
  trainer->head.out_first = 1;
  if (!shape->tied) trainer->head.weight = add_tensor(trainer, shape->vocabulary, shape->hidden);
  trainer->head.forward = take(memory, packed_size(shape->hidden, shape->vocabulary));
  trainer->head.backward = take(memory, packed_size(shape->vocabulary, shape->hidden));
  if (shape->rope) {
    trainer->cosines = take(memory, (int64_t)shape->positions * (shape->head_size / 2));
    trainer->sines = take(memory, (int64_t)shape->positions * (shape->head_size / 2));
  }
  for (int i = 0; i < SHARDS; i++) trainer->sums[i] = take(memory, trainer->sums_size);
  trainer->workspaces = take_bytes(memory, (size_t)threads * sizeof(workspace));
  for (int32_t i = 0; i < threads; i++)
    make_workspace(trainer, memory, trainer->workspaces ? &trainer->workspaces[i] : NULL);
}

static int is_possible(const bh_shape *of, int32_t threads) {
  const int32_t sizes[] = {of->vocabulary, of->positions, of->hidden, of->layers, of->heads, of->kv_heads, of->head_size,
                           of->inner,      threads};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i] < 1) return 0;
  if (of->heads % of->kv_heads != 0 || threads > 256) return 0;
  if (of->norm != BH_RMS_NORM && of->norm != BH_LAYER_NORM) return 0;
  if (of->mlp != BH_GELU && of->mlp != BH_SWIGLU) return 0;
  return !of->rope || (of->head_size % 2 == 0 && of->rope_theta > 0);
}

bh_trainer *bh_open(const bh_shape *shape, const float *scales, int32_t threads) {
  if (!is_possible(shape, threads)) return NULL;
  bh_trainer *trainer = allocate(sizeof(bh_trainer));
  if (!trainer) return NULL;
  *trainer = (bh_trainer){.shape = *shape, .projections = shape->mlp == BH_GELU ? 1 : 3};
  arena memory;
  for (int pass = 0; pass < 2; pass++) { /* the first counts the tensors, the second finds the size */
    memory = (arena){0, 0};
    lay_out(trainer, &memory, threads, scales);
  }
  trainer->threads = pool_open(threads);
  trainer->memory = allocate(memory.used + 64); /* sixteen numbers may be read from the last one on */
  if (!trainer->threads || !trainer->memory) {
    bh_close(trainer);
    return NULL;
  }
  memset(trainer->memory, 0, memory.used + 64);
  memory = (arena){(uintptr_t)trainer->memory, 0};
  lay_out(trainer, &memory, threads, scales);
  if (shape->rope) {
    const uint64_t before = exact_arithmetic();
    rotary_factors((double)shape->rope_theta, shape->positions, shape->head_size, trainer->cosines, trainer->sines);
    restore_arithmetic(before);
  }
  return trainer;
}

void bh_close(bh_trainer *trainer) {
  if (!trainer) return;
  pool_close(trainer->threads);
  release(trainer->row_grads);
  release(trainer->memory);
  release(trainer);
}

int32_t bh_recipe(void) { return BH_RECIPE; }
int32_t bh_tensor_count(const bh_trainer *trainer) { return trainer->tensor_count; }
int64_t bh_tensor_size(const bh_trainer *trainer, int32_t index) {
  return trainer->tensors[index].rows * trainer->tensors[index].columns;
}
