/* Norms of rows, forward and backward: README.md, "A sequence". Matrices are [rows, width] in rows of `stride` numbers. */
#ifndef BH_NORMS_H
#define BH_NORMS_H

#include <stdint.h>

typedef struct {
  int64_t width;
  int is_layer_norm;
  float epsilon;
} norm;

/* What the backward pass of a norm needs. */
typedef struct {
  float *kept;    /* [rows, width]: x̂ (RMS norm) or the input (LayerNorm) */
  float *inverse; /* [rows]: 1/σ, rounded to bfloat16 for LayerNorm */
  float *mean;    /* [rows]: of LayerNorm, rounded to bfloat16 */
} norm_state;

/* y = norm of x; weight and bias are in range. x and y may be the same. */
void norm_forward(norm n, int64_t rows, const float *x, int64_t stride, const float *weight, const float *bias,
                  norm_state *state, int64_t kept_stride, float *y, int64_t y_stride);

/* dx from dy; weight_sum and bias_sum [width] are continued. dx and dy may be the same. */
void norm_backward(norm n, int64_t rows, const float *dy, int64_t stride, const float *weight, const norm_state *state,
                   int64_t kept_stride, float *weight_sum, float *bias_sum, float *dx, int64_t dx_stride);

#endif
