/* The parts of a trainer: layers with their packed weights, working memory of a thread, sums of a shard. */
#ifndef BH_MODEL_H
#define BH_MODEL_H

#include "attention.h"
#include "norms.h"
#include "numbers.h"
#include "portable.h"
#include "products.h"
#include "threads.h"

#define SHARDS 8 /* of a batch; part of the recipe */
#define NONE (-1)

/* A tensor of the model and its place in the sums of a shard, where rows are padded. */
typedef struct {
  int64_t rows, columns, offset;
} tensor;

typedef struct {
  int32_t weight, bias; /* indices of tensors; bias may be NONE */
  int64_t in, out;
  int out_first;             /* the weight is [out, in] */
  float *forward, *backward; /* packed panels of the weight */
  float *shift;              /* the bias, padded, in range; NULL without one */
} linear;

typedef struct {
  int32_t weight, bias;
  norm kind;
  float *scale, *shift; /* weight and bias, padded, in range */
} norm_layer;

typedef struct {
  norm_layer before_attention, before_mlp, of_query, of_key;
  linear projection[3]; /* GPT-2: one to queries, keys and values; otherwise one to each */
  linear output, gate, up, down;
  float attention_scale;
} layer;

/* What a layer keeps of the forward pass. */
typedef struct {
  norm_state before_attention, before_mlp, of_query, of_key;
  float *attention_in, *projected[3], *weights, *attended, *mlp_in, *active, *slope, *up, *value;
} layer_state;

/* Working memory of a thread. Matrices have a row for each position of a sequence. */
typedef struct {
  layer_state *layers;
  norm_state last;
  attention_scratch scratch;
  float *x, *grad, *hidden[2], *projected_grad[3], *attended_grad, *gated_grad, *up_grad, *last_out, *logits;
  float *factor[2]; /* of products, where they are pairs */
} workspace;

struct bh_trainer {
  bh_shape shape;
  int32_t tensor_count;
  tensor *tensors;
  int32_t embedding, positions;
  layer *layers;
  norm_layer last;
  linear head;
  int projections;           /* 1 or 3 */
  float *cosines, *sines;    /* of rotary positions [positions, head_size / 2] */
  int64_t sums_size;         /* floats of the sums of a shard */
  float *sums[SHARDS];
  workspace *workspaces;     /* one per thread */
  pool *threads;
  void *memory;              /* all arrays above */
  bh_bf16 *row_grads;        /* gradients of the embedded rows of a batch */
  int64_t row_grads_size;
};

/* Width of queries, and of keys and values. */
static inline int64_t query_width(const bh_shape *shape) { return (int64_t)shape->heads * shape->head_size; }
static inline int64_t kv_width(const bh_shape *shape) { return (int64_t)shape->kv_heads * shape->head_size; }

/* Sums of a tensor in a shard. */
static inline float *sums_of(const bh_trainer *trainer, int32_t shard, int32_t index) {
  return trainer->sums[shard] + trainer->tensors[index].offset;
}

/* One sequence: adds the losses of its positions to `loss` and returns it. Unless shard is NONE, its gradients continue the sums of the shard, and
 * the gradients of its embedded rows are written to row_grads [length, hidden]. */
double sequence_step(const bh_trainer *trainer, workspace *work, const bh_bf16 *const *weights, const int32_t *tokens,
                     const int32_t *targets, int64_t length, float share, int32_t shard, bh_bf16 *row_grads,
                     double loss);

#endif
