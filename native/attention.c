/* Causal attention of one sequence: README.md, "A sequence". */
#include "attention.h"

#include "numbers.h"
#include "products.h"

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Copy a head [length, size] out of wider rows. */
static void take(const float *from, int64_t stride, int64_t length, int64_t size, float *head) {
  const int64_t row = padded(size);
  for (int64_t i = 0; i < length; i++) {
    memcpy(head + i * row, from + i * stride, (size_t)size * sizeof(float));
    memset(head + i * row + size, 0, (size_t)(row - size) * sizeof(float));
  }
}

static void put(const float *head, int64_t length, int64_t size, float *to, int64_t stride) {
  for (int64_t i = 0; i < length; i++) memcpy(to + i * stride, head + i * padded(size), (size_t)size * sizeof(float));
}

/* Weights of the keys 0 … end - 1 from the scores of a query that sees the keys 0 … seen - 1. */
static void soft_maximum(float *scores, int64_t seen, int64_t end) {
  const float inverse = 1 / take_exponentials(scores, seen).sum;
  for (int64_t j = 0; j < end; j += LANES) {
    lanes e = load_lanes(scores + j, seen - j, 0);
    EACH_PART(i) e.part[i] = narrow(e.part[i] * inverse);
    store_lanes(scores + j, LANES, &e);
  }
}

void attention_forward(attention shape, const heads_of *from, float *weights, float *output, int64_t output_stride,
                       attention_scratch *scratch) {
  const int64_t length = shape.length, size = shape.size, row = padded(size), wide = padded(length);
  for (int64_t head = 0; head < shape.heads; head++) {
    const int64_t kv = head / (shape.heads / shape.kv_heads);
    float *of_head = weights + head * length * wide;
    take(from->query + head * size, from->query_stride, length, size, scratch->query);
    take(from->key + kv * size, from->key_stride, length, size, scratch->key);
    take(from->value + kv * size, from->value_stride, length, size, scratch->value);
    const right keys = across(scratch->key, row, size, length, scratch->across);
    const right values = below(scratch->value, row, length, size, scratch->columns);
    for (int64_t begin = 0; begin < length; begin += BLOCK) {
      const int64_t end = smaller(begin + BLOCK, length), queries = end - begin;
      float *p = of_head + begin * wide;
      const finish scaled = {0, 0, shape.scale, 0};
      product(queries, end, size, rows_of(scratch->query + begin * row, row, queries, size, scratch->factor[0]), keys, p,
              wide, scaled);
      for (int64_t i = 0; i < queries; i++) soft_maximum(p + i * wide, begin + i + 1, end);
      product(queries, size, end, rows_of(p, wide, queries, end, scratch->factor[0]), values,
              scratch->output + begin * row, row, NARROWED);
    }
    put(scratch->output, length, size, output + head * size, output_stride);
  }
}

/* ds = p * (dp - D) for one query, in place of dp. */
static void scores_backward(float *grad, const float *weight, float mean, int64_t seen, int64_t end) {
  for (int64_t j = 0; j < seen; j += LANES) {
    lanes g = load_lanes(grad + j, seen - j, 0);
    const lanes p = load_lanes(weight + j, seen - j, 0);
    EACH_PART(i) {
      const vec ds = narrow(p.part[i] * (g.part[i] - mean));
      g.part[i] = (vec)((ivec)ds & ~(p.part[i] == 0));
    }
    store_lanes(grad + j, LANES, &g);
  }
  for (int64_t j = (seen + LANES - 1) / LANES * LANES; j < end; j++) grad[j] = 0;
}

static void narrow_head(float *head, int64_t length, int64_t size, float scale) {
  const int64_t row = padded(size);
  for (int64_t i = 0; i < length; i++)
    for (int64_t j = 0; j < row; j += WIDTH) store(head + i * row + j, narrow(load(head + i * row + j) * scale));
}

static float inner_product(const float *x, const float *y, int64_t size) {
  lanes sum = lanes_of(0);
  for (int64_t j = 0; j < size; j += LANES) {
    const lanes a = load_lanes(x + j, size - j, 0), b = load_lanes(y + j, size - j, 0);
    EACH_PART(i) sum.part[i] += a.part[i] * b.part[i];
  }
  return sum_of_lanes(&sum);
}

/* One head of queries: dq, and what it adds to dk and dv. The scratch holds q, k and v; `output` holds the gradient. */
static void query_head_backward(attention shape, const float *weights, const float *output, int64_t output_stride,
                                right keys, right values, attention_scratch *scratch, float *query_grad,
                                int64_t query_stride) {
  const int64_t length = shape.length, size = shape.size, row = padded(size), wide = padded(length);
  for (int64_t begin = 0; begin < length; begin += BLOCK) {
    const int64_t end = smaller(begin + BLOCK, length), queries = end - begin;
    const float *p = weights + begin * wide, *grad = scratch->output + begin * row;
    float *ds = scratch->scores, *query = scratch->query + begin * row, *const *words = scratch->factor;
    product(queries, end, size, rows_of(grad, row, queries, size, words[0]), values, ds, wide, PLAIN);
    for (int64_t i = 0; i < queries; i++) {
      const float mean = inner_product(grad + i * row, output + (begin + i) * output_stride, size);
      scores_backward(ds + i * wide, p + i * wide, mean, begin + i + 1, end);
    }
    product(end, size, queries, columns_of(p, wide, end, queries, words[0]), below(grad, row, queries, size, words[1]),
            scratch->value_sum, row, CONTINUED);
    product(end, size, queries, columns_of(ds, wide, end, queries, words[0]), below(query, row, queries, size, words[1]),
            scratch->key_sum, row, CONTINUED);
    /* The block's rows of q are not needed any more: dq takes their place. */
    const finish scaled = {0, 1, shape.scale, 0};
    product(queries, size, end, rows_of(ds, wide, queries, end, words[0]), keys, query, row, scaled);
  }
  put(scratch->query, length, size, query_grad, query_stride);
}

void attention_backward(attention shape, const heads_of *from, const float *weights, const float *output,
                        const float *output_grad, int64_t output_stride, const heads_of *grads,
                        attention_scratch *scratch) {
  const int64_t length = shape.length, size = shape.size, row = padded(size), wide = padded(length);
  const int64_t group = shape.heads / shape.kv_heads;
  right keys = {0}, values = {0};
  for (int64_t head = 0; head < shape.heads; head++) {
    const int64_t kv = head / group;
    take(from->query + head * size, from->query_stride, length, size, scratch->query);
    take(output_grad + head * size, output_stride, length, size, scratch->output);
    if (head % group == 0) {
      take(from->key + kv * size, from->key_stride, length, size, scratch->key);
      take(from->value + kv * size, from->value_stride, length, size, scratch->value);
      values = across(scratch->value, row, size, length, scratch->across);
      keys = below(scratch->key, row, length, size, scratch->columns);
      memset(scratch->key_sum, 0, (size_t)(length * row) * sizeof(float));
      memset(scratch->value_sum, 0, (size_t)(length * row) * sizeof(float));
    }
    query_head_backward(shape, weights + head * length * wide, output + head * size, output_stride, keys, values,
                        scratch, grads->query + head * size, grads->query_stride);
    if (head % group == group - 1) {
      narrow_head(scratch->key_sum, length, size, shape.scale);
      narrow_head(scratch->value_sum, length, size, 1);
      put(scratch->key_sum, length, size, grads->key + kv * size, grads->key_stride);
      put(scratch->value_sum, length, size, grads->value + kv * size, grads->value_stride);
    }
  }
}
