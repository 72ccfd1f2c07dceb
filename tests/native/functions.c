/* Functions of the recipe over arrays, for tests/python/portable/test_functions.py. */
#include "functions.h"
#include "numbers.h"

#define EACH_VECTOR(j) for (int64_t j = 0; j < count; j += WIDTH)

void each_exponential(float *x, int64_t count) {
  EACH_VECTOR(j) store(x + j, exponential(load(x + j)));
}
void each_narrow(float *x, int64_t count) {
  EACH_VECTOR(j) store(x + j, narrow(load(x + j)));
}
void each_narrow_one(float *x, int64_t count) {
  for (int64_t j = 0; j < count; j++) x[j] = narrow_one(x[j]);
}
void each_rounded(float *x, int64_t count) {
  for (int64_t j = 0; j < count; j++) x[j] = rounded(x[j]);
}
void each_log(double *x, int64_t count) {
  for (int64_t j = 0; j < count; j++) x[j] = natural_log(x[j]);
}
void each_exponential64(double *x, int64_t count) {
  for (int64_t j = 0; j < count; j++) x[j] = exponential64(x[j]);
}
void each_sine_cosine(double *x, double *cosine, int64_t count) {
  for (int64_t j = 0; j < count; j++) sine_cosine(x[j], x + j, cosine + j);
}
