/* Causal attention of one sequence: README.md, "A sequence". */
#ifndef BH_ATTENTION_H
#define BH_ATTENTION_H

#include <stdint.h>

#define BLOCK 16 /* queries; part of the recipe */

typedef struct {
  int64_t length, heads, kv_heads, size; /* size: width of a head */
  float scale;
} attention;

/* Scratch memory for one head: matrices of `length` rows of padded(size), and of `size` rows of padded(length). */
typedef struct {
  float *query, *key, *value, *output; /* [length, size] */
  float *key_sum, *value_sum;          /* [length, size] */
  float *scores;                       /* [BLOCK, length] */
  float *across, *columns, *factor[2]; /* factors of products: [size, length], [length, size], of a block */
} attention_scratch;

/* Queries, keys and values [length, heads * size] in rows of `stride` numbers. */
typedef struct {
  float *query, *key, *value;
  int64_t query_stride, key_stride, value_stride;
} heads_of;

/* output [length, heads * size]; weights [heads, length, padded(length)] are kept for the backward pass. */
void attention_forward(attention shape, const heads_of *from, float *weights, float *output, int64_t output_stride,
                       attention_scratch *scratch);

/* Gradients of queries, keys and values from that of the output. */
void attention_backward(attention shape, const heads_of *from, const float *weights, const float *output,
                        const float *output_grad, int64_t output_stride, const heads_of *grads,
                        attention_scratch *scratch);

#endif
