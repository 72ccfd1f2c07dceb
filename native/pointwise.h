/* What happens element by element: README.md, "A sequence". Rows have `stride` numbers, whole rows are computed. */
#ifndef BH_POINTWISE_H
#define BH_POINTWISE_H

#include <stdint.h>

void add_narrow(float *x, const float *y, int64_t count); /* x = narrow(x + y) */

/* gelu_new: y = u * g with g = 1 / (1 + exp(-z)). slope: dy/du, for the backward pass. */
void gelu_forward(const float *u, float *slope, float *y, int64_t count);
void gelu_backward(const float *dy, const float *slope, float *du, int64_t count);

/* y = a * g * b with g = 1 / (1 + exp(-a)); a, b: outputs of the gate and up projections. value: a * g, slope: its
 * derivative by a. */
void swiglu_forward(const float *a, const float *b, float *value, float *slope, float *y, int64_t count);
void swiglu_backward(const float *dy, const float *b, const float *value, const float *slope, float *da, float *db,
                     int64_t count);

/* Rotary positions of a head [length, size] in rows of `stride` numbers; factors [length, size / 2]. */
void rotate(float *x, int64_t length, int64_t size, int64_t stride, const float *cosines, const float *sines,
            int backwards);
/* cosines, sines [length, size / 2] of a base. */
void rotary_factors(double theta, int64_t length, int64_t size, float *cosines, float *sines);

/* Loss of a row of logits, which become their gradients; target < 0: none. share = 1 / items. */
double cross_entropy(float *logits, int64_t vocabulary, int64_t target, float share);

#endif
