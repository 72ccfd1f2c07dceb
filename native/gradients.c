/* Loss and gradients of a batch: README.md, "A batch". */
#include "model.h"

typedef struct {
  bh_trainer *trainer;
  const bh_bf16 *const *weights;
  bh_bf16 *const *gradients; /* NULL: only the loss */
  const int32_t *tokens, *targets;
  int64_t batch, length;
  float share;
  int accumulate;
  double losses[SHARDS];
} batch_job;

/* The gradient of the token embedding [vocabulary, hidden], behind those of the rows of the batch. */
static bh_bf16 *token_table(const batch_job *all) {
  return all->trainer->row_grads + all->batch * all->length * all->trainer->shape.hidden;
}

static void pack_linear(const linear *of, const bh_bf16 *const *weights) {
  const bh_bf16 *weight = weights[of->weight];
  const int64_t in = of->in, out = of->out;
  pack(weight, in, out, of->out_first ? 1 : out, of->out_first ? in : 1, of->forward);
  pack(weight, out, in, of->out_first ? in : 1, of->out_first ? 1 : out, of->backward);
  for (int64_t j = 0; of->shift && j < out; j++) of->shift[j] = in_range(weights[of->bias][j]);
}

static void pack_norm(const norm_layer *of, const bh_bf16 *const *weights) {
  for (int64_t j = 0; of->weight != NONE && j < of->kind.width; j++) {
    of->scale[j] = in_range(weights[of->weight][j]);
    if (of->shift) of->shift[j] = in_range(weights[of->bias][j]);
  }
}

/* Job 0 packs the head, job i + 1 layer i. */
static void pack_part(void *context, int64_t index, int32_t worker) {
  const batch_job *all = context;
  const bh_trainer *trainer = all->trainer;
  (void)worker;
  if (index == 0) {
    pack_linear(&trainer->head, all->weights);
    pack_norm(&trainer->last, all->weights);
    return;
  }
  const layer *of = &trainer->layers[index - 1];
  pack_norm(&of->before_attention, all->weights);
  pack_norm(&of->before_mlp, all->weights);
  if (trainer->shape.head_norm) {
    pack_norm(&of->of_query, all->weights);
    pack_norm(&of->of_key, all->weights);
  }
  for (int i = 0; i < trainer->projections; i++) pack_linear(&of->projection[i], all->weights);
  pack_linear(&of->output, all->weights);
  if (trainer->shape.mlp == BH_SWIGLU) pack_linear(&of->gate, all->weights);
  pack_linear(&of->up, all->weights);
  pack_linear(&of->down, all->weights);
}

static void compute_shard(void *context, int64_t index, int32_t worker) {
  batch_job *all = context;
  bh_trainer *trainer = all->trainer;
  const int64_t first = all->batch * index / SHARDS, last = all->batch * (index + 1) / SHARDS, length = all->length;
  const int32_t shard = all->gradients ? (int32_t)index : NONE;
  if (all->gradients) memset(trainer->sums[index], 0, (size_t)trainer->sums_size * sizeof(float));
  double loss = 0;
  for (int64_t i = first; i < last; i++)
    loss = sequence_step(trainer, &trainer->workspaces[worker], all->weights, all->tokens + i * length,
                         all->targets + i * length, length, all->share, shard,
                         all->gradients ? trainer->row_grads + i * length * trainer->shape.hidden : NULL, loss);
  all->losses[index] = loss;
}

/* Sixteen columns of the token embedding's gradient: the gradients of the rows of the batch, rounded at each. */
static void add_token_rows(void *context, int64_t index, int32_t worker) {
  const batch_job *all = context;
  const int64_t hidden = all->trainer->shape.hidden, rows = all->batch * all->length, first = index * LANES;
  const int64_t last = first + LANES < hidden ? first + LANES : hidden;
  bh_bf16 *table = token_table(all);
  (void)worker;
  for (int64_t i = 0; i < all->trainer->shape.vocabulary; i++)
    memset(table + i * hidden + first, 0, (size_t)(last - first) * sizeof(bh_bf16));
  for (int64_t row = 0; row < rows; row++) {
    const bh_bf16 *grad = all->trainer->row_grads + row * hidden;
    bh_bf16 *sum = table + all->tokens[row] * hidden;
    for (int64_t j = first; j < last; j++) sum[j] = round_bf16(widen(sum[j]) + widen(grad[j]));
  }
}

/* The gradient of a tensor: the sums of all shards, rounded. */
static void finish_tensor(void *context, int64_t index, int32_t worker) {
  const batch_job *all = context;
  const bh_trainer *trainer = all->trainer;
  const tensor *of = &trainer->tensors[index];
  const int is_embedding = index == trainer->embedding, has_sums = !is_embedding || trainer->shape.tied;
  const bh_bf16 *table = token_table(all);
  bh_bf16 *gradient = all->gradients[index];
  (void)worker;
  for (int64_t row = 0; row < of->rows; row++) {
    const int64_t at = of->offset + row * padded(of->columns), to = row * of->columns;
    for (int64_t j = 0; j < of->columns; j++) {
      float sum = trainer->sums[0][at + j];
      for (int shard = 1; shard < SHARDS; shard++) sum += trainer->sums[shard][at + j];
      sum = rounded(sum);
      if (is_embedding) sum = has_sums ? rounded(sum + widen(table[to + j])) : widen(table[to + j]);
      if (all->accumulate) sum = rounded(widen(gradient[to + j]) + sum);
      gradient[to + j] = round_bf16(sum);
    }
  }
}

/* Room for the gradients of the rows of a batch, and for the token embedding's. */
static int make_room(bh_trainer *trainer, int64_t rows) {
  const int64_t size = (rows + trainer->shape.vocabulary) * trainer->shape.hidden;
  if (size <= trainer->row_grads_size) return 1;
  release(trainer->row_grads);
  trainer->row_grads = allocate((size_t)size * sizeof(bh_bf16));
  trainer->row_grads_size = trainer->row_grads ? size : 0;
  return trainer->row_grads != NULL;
}

static int are_tokens(const bh_shape *shape, const int32_t *tokens, const int32_t *targets, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (tokens[i] < 0 || tokens[i] >= shape->vocabulary || targets[i] >= shape->vocabulary) return 0;
  return 1;
}

int32_t bh_gradients(bh_trainer *trainer, const bh_bf16 *const *weights, bh_bf16 *const *gradients,
                     const int32_t *tokens, const int32_t *targets, int32_t batch, int32_t length, double items,
                     int32_t accumulate, double *loss) {
  const bh_shape *shape = &trainer->shape;
  if (batch < 0 || length < 1 || length > shape->positions) return -1;
  if (!are_tokens(shape, tokens, targets, (int64_t)batch * length)) return -1;
  if (gradients && !make_room(trainer, (int64_t)batch * length)) return -1;
  const uint64_t before = exact_arithmetic();
  batch_job all = {.trainer = trainer, .weights = weights, .gradients = gradients, .tokens = tokens, .targets = targets,
                   .batch = batch, .length = length, .share = (float)(1 / items), .accumulate = accumulate};
  pool_run(trainer->threads, shape->layers + 1, pack_part, &all);
  pool_run(trainer->threads, SHARDS, compute_shard, &all);
  if (gradients) {
    pool_run(trainer->threads, (shape->hidden + LANES - 1) / LANES, add_token_rows, &all);
    pool_run(trainer->threads, trainer->tensor_count, finish_tensor, &all);
  }
  double sum = all.losses[0];
  for (int shard = 1; shard < SHARDS; shard++) sum += all.losses[shard];
  *loss = sum == sum ? sum / items : __builtin_nan("");
  restore_arithmetic(before);
  return 0;
}
