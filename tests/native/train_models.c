/* Trains the models that standard input describes and prints a hash of everything computed, for comparing builds.
 *
 * train_models THREADS STEPS STARTS [flush] reads models.json as numbers, 23 for each model: the fields of bh_shape, then batch,
 * length, and whether there are float32 moments, master weights, and two batches for each step. It trains each model for
 * STEPS steps, then takes two steps from each of STARTS hard starts with the models in turn, and prints one line for each.
 * train-models.mjs does the same with WebAssembly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "portable.h"

enum { TENSORS = 64 };
static const double learning_rate = 0.01;

typedef struct {
  bh_shape shape;
  int batch, length, wide, master, twice;
} model_t;

typedef struct {
  uint32_t a, b;
} hash_t;

typedef struct {
  int count;
  int64_t sizes[TENSORS];
  bh_bf16 *weights[TENSORS], *gradients[TENSORS];
  void *first[TENSORS], *second[TENSORS];
  float *masters[TENSORS];
  int32_t *tokens, *targets;
} memory_t;

static void add(hash_t *hash, const void *data, int64_t bytes) {
  const uint8_t *at = data;
  for (int64_t i = 0; i + 1 < bytes; i += 2) {
    uint32_t word = at[i] | (uint32_t)at[i + 1] << 8;
    hash->a = (hash->a ^ word) * 16777619u;
    hash->b = (hash->b + word) * 2654435769u;
    hash->b ^= hash->b >> 15;
  }
}

/* A NaN may have any sign and payload where C returns it as a number. */
static void add_double(hash_t *hash, double x) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  if (x != x) bits = 0x7ff8000000000000u;
  add(hash, &bits, 8);
}

static void print(const char *name, int number, const hash_t *hash) {
  printf("%s %d %08x%08x\n", name, number, hash->a, hash->b);
}

/* 0: ordinary; 1: huge; 2: tiny; 3: subnormal; 4: some NaN; 5: some infinite; 6: anything. */
static bh_bf16 draw_weight(bh_stream *stream, int kind) {
  uint32_t r = bh_random(stream), exponent = 0x75 + r % 8, mantissa = r >> 8 & 0x7f, odd = (r >> 15) % 64 == 0;
  if (kind == 1) exponent = 0xd0 + r % 0x2f;
  if (kind == 2) exponent = 1 + r % 0x50;
  if (kind == 3) exponent = 0;
  if (kind == 4 && odd) exponent = 0xff;
  if (kind == 5 && odd) exponent = 0xff, mantissa = 0;
  if (kind == 6) exponent = r & 0xff;
  return (bh_bf16)(r >> 31 << 15 | exponent << 7 | mantissa);
}

static void draw_batch(bh_stream *stream, const model_t *model, memory_t *memory, double *items) {
  uint32_t vocabulary = (uint32_t)model->shape.vocabulary;
  *items = 1;
  for (int i = 0; i < model->batch * model->length; i++) {
    memory->tokens[i] = (int32_t)(bh_random(stream) % vocabulary);
    uint32_t target = bh_random(stream) % (vocabulary + 3);
    memory->targets[i] = target < vocabulary ? (int32_t)target : -1;
    *items += target < vocabulary;
  }
}

static void take_step(bh_trainer *trainer, bh_stream *stream, const model_t *model, memory_t *memory, int step, hash_t *hash) {
  for (int part = 0; part <= model->twice; part++) {
    double items, loss = 0;
    draw_batch(stream, model, memory, &items);
    if (bh_gradients(trainer, (const bh_bf16 *const *)memory->weights, memory->gradients, memory->tokens, memory->targets, model->batch,
                     model->length, items, part, &loss)) {
      fprintf(stderr, "bh_gradients refuses a batch\n");
      exit(1);
    }
    add_double(hash, loss);
  }
  for (int i = 0; i < memory->count; i++) add(hash, memory->gradients[i], 2 * memory->sizes[i]);
  add_double(hash, bh_clip(memory->gradients, memory->sizes, memory->count, 0.5f));
  for (int i = 0; i < memory->count; i++) {
    bh_adamw_settings settings = {learning_rate / step, 0.9, 0.999, 1e-8, i % 2 ? 0.1 : 0.0, step};
    bh_adamw(memory->weights[i], memory->gradients[i], memory->first[i], memory->second[i], memory->masters[i], memory->sizes[i],
             model->wide, &settings);
    add(hash, memory->weights[i], 2 * memory->sizes[i]);
    add(hash, memory->first[i], (model->wide ? 4 : 2) * memory->sizes[i]);
    add(hash, memory->second[i], (model->wide ? 4 : 2) * memory->sizes[i]);
    if (model->master) add(hash, memory->masters[i], 4 * memory->sizes[i]);
  }
}

static void allocate(memory_t *memory, bh_trainer *trainer, const model_t *model, bh_stream *stream, int kind) {
  memory->count = bh_tensor_count(trainer);
  for (int i = 0; i < memory->count; i++) {
    int64_t size = memory->sizes[i] = bh_tensor_size(trainer, i);
    memory->weights[i] = malloc(2 * size);
    memory->gradients[i] = malloc(2 * size);
    memory->first[i] = calloc(size, 4);
    memory->second[i] = calloc(size, 4);
    memory->masters[i] = model->master ? malloc(4 * size) : NULL;
    for (int64_t j = 0; j < size; j++) {
      memory->weights[i][j] = draw_weight(stream, kind);
      uint32_t bits = (uint32_t)memory->weights[i][j] << 16;
      if (model->master) memcpy(&memory->masters[i][j], &bits, 4);
    }
  }
  memory->tokens = malloc(4 * model->batch * model->length);
  memory->targets = malloc(4 * model->batch * model->length);
}

static void release(memory_t *memory) {
  for (int i = 0; i < memory->count; i++) {
    free(memory->weights[i]), free(memory->gradients[i]), free(memory->first[i]), free(memory->second[i]), free(memory->masters[i]);
  }
  free(memory->tokens), free(memory->targets);
}

static void train(const char *name, int number, const model_t *model, int threads, int kind, int steps, int each) {
  float scales[16];
  for (int i = 0; i < model->shape.layers; i++) scales[i] = 0.3f / (float)(i + 1);
  bh_trainer *trainer = bh_open(&model->shape, scales, threads);
  if (!trainer || bh_tensor_count(trainer) > TENSORS) {
    fprintf(stderr, "bh_open refuses model %d\n", number);
    exit(1);
  }
  static bh_stream stream;
  bh_seed(&stream, 1000u + (uint32_t)number);
  memory_t memory;
  allocate(&memory, trainer, model, &stream, kind);
  hash_t hash = {2166136261u, 1};
  for (int step = 1; step <= steps; step++) {
    take_step(trainer, &stream, model, &memory, step, &hash);
    if (each) print(name, 100 * number + step, &hash);
  }
  if (!each) print(name, number, &hash);
  release(&memory);
  bh_close(trainer);
}

static void draw(void) {
  static bh_stream stream;
  static float values[1600];
  static int32_t order[1001];
  hash_t hash = {2166136261u, 1};
  for (int i = 0; i < 4; i++) {
    bh_seed(&stream, 7919u * (uint32_t)i);
    bh_uniforms(&stream, values, 1600);
    add(&hash, values, sizeof values);
    bh_normals(values, 1600);
    add(&hash, values, sizeof values);
    bh_unit_vector(values, 1600 - 7 * i, i % 2);
    add(&hash, values, sizeof values);
    bh_permutation(7919u * (uint32_t)i, order, 1001 - 500 * (i % 2));
    add(&hash, order, 4 * (1001 - 500 * (i % 2)));
  }
  print("draws", 0, &hash);
}

static int read_model(model_t *model) {
  int32_t *fields = &model->shape.vocabulary;
  for (int i = 0; i < 16; i++)
    if (scanf("%d", &fields[i]) != 1) return 0;
  return scanf("%f %f %d %d %d %d %d", &model->shape.epsilon, &model->shape.rope_theta, &model->batch, &model->length, &model->wide,
               &model->master, &model->twice) == 7;
}

int main(int count, char **arguments) {
  static model_t models[64];
  if (count < 4) return 2;
  int threads = atoi(arguments[1]), steps = atoi(arguments[2]), starts = atoi(arguments[3]), known = 0;
#if defined(__SSE__)
  if (count > 4) _mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
#endif
  while (known < 64 && read_model(&models[known])) known++;
  printf("check 0 %016llx\n", (unsigned long long)bh_self_check());
  draw();
  for (int i = 0; i < known; i++) train("model", i, &models[i], threads, 0, steps, 1);
  for (int i = 0; i < starts; i++) train("start", known + i, &models[i % known], threads, 1 + i / known % 6, 2, 0);
  return 0;
}
