/* Forward and backward pass of one sequence: README.md, "A sequence". */
#include "model.h"
#include "pointwise.h"

static void embed(const bh_trainer *trainer, const bh_bf16 *const *weights, const int32_t *tokens, int64_t length,
                  float *x) {
  const int64_t hidden = trainer->shape.hidden, stride = padded(hidden);
  for (int64_t t = 0; t < length; t++) {
    float *to = x + t * stride;
    const bh_bf16 *token = weights[trainer->embedding] + tokens[t] * hidden;
    for (int64_t j = 0; j < hidden; j++) to[j] = in_range(token[j]);
    for (int64_t j = hidden; j < stride; j++) to[j] = 0;
    if (trainer->positions == NONE) continue;
    const bh_bf16 *position = weights[trainer->positions] + t * hidden;
    for (int64_t j = 0; j < hidden; j++) to[j] = narrow_one(to[j] + in_range(position[j]));
  }
}

static void forward(const linear *of, workspace *work, int64_t length, const float *a, float *y) {
  const finish end = {0, 1, 1, of->shift};
  product(length, of->out, of->in, rows_of(a, padded(of->in), length, of->in, work->factor[0]),
          packed(of->forward, of->in), y, padded(of->out), end);
}

/* da from dy; the gradients of weight and bias continue the sums of the shard. */
static void backward(const bh_trainer *trainer, const linear *of, workspace *work, int32_t shard, int64_t length,
                     const float *a, const float *dy, float *da) {
  const int64_t in = padded(of->in), out = padded(of->out);
  float *weight_sum = sums_of(trainer, shard, of->weight);
  if (of->out_first)
    product(of->out, of->in, length, columns_of(dy, out, of->out, length, work->factor[0]),
            below(a, in, length, of->in, work->factor[1]), weight_sum, in, CONTINUED);
  else
    product(of->in, of->out, length, columns_of(a, in, of->in, length, work->factor[0]),
            below(dy, out, length, of->out, work->factor[1]), weight_sum, out, CONTINUED);
  if (of->bias != NONE) {
    float *sum = sums_of(trainer, shard, of->bias);
    for (int64_t t = 0; t < length; t++)
      for (int64_t j = 0; j < of->out; j++) sum[j] += dy[t * out + j];
  }
  product(length, of->in, of->out, rows_of(dy, out, length, of->out, work->factor[0]),
          packed(of->backward, of->out), da, in, NARROWED);
}

static void norm_into(const norm_layer *of, int64_t length, const float *x, norm_state *state, float *y) {
  const int64_t stride = padded(of->kind.width);
  norm_forward(of->kind, length, x, stride, of->scale, of->shift, state, stride, y, stride);
}

static void norm_back(const bh_trainer *trainer, const norm_layer *of, int32_t shard, int64_t length, const float *dy,
                      const norm_state *state, float *dx) {
  const int64_t stride = padded(of->kind.width);
  float *bias_sum = of->bias == NONE ? NULL : sums_of(trainer, shard, of->bias);
  norm_backward(of->kind, length, dy, stride, of->scale, state, stride, sums_of(trainer, shard, of->weight), bias_sum, dx,
                stride);
}

/* The state of a norm of heads at a position. */
static norm_state at_position(const norm_state *state, int64_t t, int64_t stride, int64_t heads) {
  return (norm_state){state->kept + t * stride, state->inverse + t * heads, NULL};
}

/* Norms and rotary positions of the heads of queries or keys [length, heads * size]. */
static void prepare_heads(const bh_trainer *trainer, const norm_layer *of, int64_t heads, int64_t length,
                          norm_state *state, float *x) {
  const int64_t size = trainer->shape.head_size, stride = padded(heads * size);
  for (int64_t t = 0; t < length && of->weight != NONE; t++) {
    norm_state here = at_position(state, t, stride, heads);
    norm_forward(of->kind, heads, x + t * stride, size, of->scale, NULL, &here, size, x + t * stride, size);
  }
  for (int64_t head = 0; head < heads && trainer->shape.rope; head++)
    rotate(x + head * size, length, size, stride, trainer->cosines, trainer->sines, 0);
}

static void prepare_heads_backward(const bh_trainer *trainer, const norm_layer *of, int32_t shard, int64_t heads,
                                   int64_t length, const norm_state *state, float *grad) {
  const int64_t size = trainer->shape.head_size, stride = padded(heads * size);
  for (int64_t head = 0; head < heads && trainer->shape.rope; head++)
    rotate(grad + head * size, length, size, stride, trainer->cosines, trainer->sines, 1);
  for (int64_t t = 0; t < length && of->weight != NONE; t++) {
    const norm_state here = at_position(state, t, stride, heads);
    norm_backward(of->kind, heads, grad + t * stride, size, of->scale, &here, size, sums_of(trainer, shard, of->weight),
                  NULL, grad + t * stride, size);
  }
}

/* Where queries, keys and values are in the outputs of the projections. */
static heads_of find_heads(const bh_trainer *trainer, float *const projected[3]) {
  const int64_t queries = query_width(&trainer->shape), keys = kv_width(&trainer->shape);
  if (trainer->projections == 3)
    return (heads_of){projected[0], projected[1], projected[2], padded(queries), padded(keys), padded(keys)};
  const int64_t stride = padded(queries + 2 * keys);
  return (heads_of){projected[0], projected[0] + queries, projected[0] + queries + keys, stride, stride, stride};
}

static attention attention_of(const bh_trainer *trainer, const layer *of, int64_t length) {
  const bh_shape *shape = &trainer->shape;
  return (attention){length, shape->heads, shape->kv_heads, shape->head_size, of->attention_scale};
}

static void layer_forward(const bh_trainer *trainer, const layer *of, layer_state *state, workspace *work,
                          int64_t length) {
  const bh_shape *shape = &trainer->shape;
  const int64_t count = length * padded(shape->hidden), wide = length * padded(shape->inner);
  norm_into(&of->before_attention, length, work->x, &state->before_attention, state->attention_in);
  for (int i = 0; i < trainer->projections; i++)
    forward(&of->projection[i], work, length, state->attention_in, state->projected[i]);
  if (trainer->projections == 3) {
    prepare_heads(trainer, &of->of_query, shape->heads, length, &state->of_query, state->projected[0]);
    prepare_heads(trainer, &of->of_key, shape->kv_heads, length, &state->of_key, state->projected[1]);
  }
  const heads_of heads = find_heads(trainer, state->projected);
  attention_forward(attention_of(trainer, of, length), &heads, state->weights, state->attended,
                    padded(query_width(shape)), &work->scratch);
  forward(&of->output, work, length, state->attended, work->hidden[0]);
  add_narrow(work->x, work->hidden[0], count);
  norm_into(&of->before_mlp, length, work->x, &state->before_mlp, state->mlp_in);
  if (shape->mlp == BH_SWIGLU) {
    forward(&of->up, work, length, state->mlp_in, state->up);
    forward(&of->gate, work, length, state->mlp_in, work->up_grad);
    swiglu_forward(work->up_grad, state->up, state->value, state->slope, state->active, wide);
  } else {
    forward(&of->up, work, length, state->mlp_in, work->up_grad);
    gelu_forward(work->up_grad, state->slope, state->active, wide);
  }
  forward(&of->down, work, length, state->active, work->hidden[0]);
  add_narrow(work->x, work->hidden[0], count);
}

static void layer_backward(const bh_trainer *trainer, const layer *of, const layer_state *state, workspace *work,
                           int32_t shard, int64_t length) {
  const bh_shape *shape = &trainer->shape;
  const int64_t count = length * padded(shape->hidden), wide = length * padded(shape->inner);
  float *sum = work->hidden[0], *part = work->hidden[1];
  backward(trainer, &of->down, work, shard, length, state->active, work->grad, work->up_grad);
  if (shape->mlp == BH_SWIGLU) {
    swiglu_backward(work->up_grad, state->up, state->value, state->slope, work->gated_grad, work->up_grad, wide);
    backward(trainer, &of->gate, work, shard, length, state->mlp_in, work->gated_grad, sum);
    backward(trainer, &of->up, work, shard, length, state->mlp_in, work->up_grad, part);
    add_narrow(sum, part, count);
  } else {
    gelu_backward(work->up_grad, state->slope, work->up_grad, wide);
    backward(trainer, &of->up, work, shard, length, state->mlp_in, work->up_grad, sum);
  }
  norm_back(trainer, &of->before_mlp, shard, length, sum, &state->before_mlp, sum);
  add_narrow(work->grad, sum, count);

  backward(trainer, &of->output, work, shard, length, state->attended, work->grad, work->attended_grad);
  float *const projected[3] = {state->projected[0], state->projected[1], state->projected[2]};
  const heads_of heads = find_heads(trainer, projected), grads = find_heads(trainer, work->projected_grad);
  attention_backward(attention_of(trainer, of, length), &heads, state->weights, state->attended, work->attended_grad,
                     padded(query_width(shape)), &grads, &work->scratch);
  if (trainer->projections == 3) {
    prepare_heads_backward(trainer, &of->of_query, shard, shape->heads, length, &state->of_query,
                           work->projected_grad[0]);
    prepare_heads_backward(trainer, &of->of_key, shard, shape->kv_heads, length, &state->of_key,
                           work->projected_grad[1]);
  }
  for (int i = 0; i < trainer->projections; i++) {
    backward(trainer, &of->projection[i], work, shard, length, state->attention_in, work->projected_grad[i], i ? part : sum);
    if (i) add_narrow(sum, part, count);
  }
  norm_back(trainer, &of->before_attention, shard, length, sum, &state->before_attention, sum);
  add_narrow(work->grad, sum, count);
}

/* Adds the losses of the positions; the logits become their gradients. */
static double loss_of(const bh_trainer *trainer, float *logits, const int32_t *targets, int64_t length, float share,
                      double loss) {
  const int64_t vocabulary = trainer->shape.vocabulary;
  for (int64_t t = 0; t < length; t++)
    loss += cross_entropy(logits + t * padded(vocabulary), vocabulary, targets[t], share);
  return loss;
}

double sequence_step(const bh_trainer *trainer, workspace *work, const bh_bf16 *const *weights, const int32_t *tokens,
                     const int32_t *targets, int64_t length, float share, int32_t shard, bh_bf16 *row_grads,
                     double loss) {
  const int64_t hidden = trainer->shape.hidden, stride = padded(hidden);
  embed(trainer, weights, tokens, length, work->x);
  for (int32_t i = 0; i < trainer->shape.layers; i++)
    layer_forward(trainer, &trainer->layers[i], &work->layers[i], work, length);
  norm_into(&trainer->last, length, work->x, &work->last, work->last_out);
  forward(&trainer->head, work, length, work->last_out, work->logits);
  loss = loss_of(trainer, work->logits, targets, length, share, loss);
  if (shard == NONE) return loss;

  backward(trainer, &trainer->head, work, shard, length, work->last_out, work->logits, work->hidden[0]);
  norm_back(trainer, &trainer->last, shard, length, work->hidden[0], &work->last, work->grad);
  for (int32_t i = trainer->shape.layers - 1; i >= 0; i--)
    layer_backward(trainer, &trainer->layers[i], &work->layers[i], work, shard, length);
  float *positions = trainer->positions == NONE ? NULL : sums_of(trainer, shard, trainer->positions);
  for (int64_t t = 0; t < length; t++)
    for (int64_t j = 0; j < hidden; j++) {
      const float grad = work->grad[t * stride + j];
      if (positions) positions[t * stride + j] += grad;
      row_grads[t * hidden + j] = (bh_bf16)(bits_of(grad) >> 16);
    }
  return loss;
}
