/* Clipping and AdamW: README.md, "Clipping and AdamW". */
#include "functions.h"
#include "numbers.h"
#include "threads.h"

#define ROOT(x) __builtin_sqrtf(x)

static void widen_some(const bh_bf16 *from, float *to, int64_t count) {
  for (int64_t j = 0; j < count; j++) to[j] = widen(from[j]);
}

/* √(sum of squares), in lanes over a block of numbers at a time. */
static float norm_of(const bh_bf16 *values, int64_t size) {
  lanes squares = lanes_of(0);
  for (int64_t j = 0; j < size; j += LANES) {
    float wide[LANES] = {0};
    widen_some(values + j, wide, size - j < LANES ? size - j : LANES);
    const lanes x = load_lanes(wide, LANES, 0);
    EACH_PART(i) squares.part[i] += x.part[i] * x.part[i];
  }
  return ROOT(sum_of_lanes(&squares));
}

float bh_clip(bh_bf16 *const *gradients, const int64_t *sizes, int32_t count, float max_norm) {
  const uint64_t before = exact_arithmetic();
  lanes squares = lanes_of(0);
  for (int32_t first = 0; first < count; first += LANES) {
    float norms[LANES] = {0};
    for (int32_t i = 0; i < LANES && first + i < count; i++)
      norms[i] = rounded(norm_of(gradients[first + i], sizes[first + i]));
    const lanes x = load_lanes(norms, LANES, 0);
    EACH_PART(i) squares.part[i] += x.part[i] * x.part[i];
  }
  const float total = rounded(ROOT(sum_of_lanes(&squares)));
  float factor = rounded(max_norm / rounded(total + 1e-6f));
  if (factor > 1) factor = 1;
  for (int32_t i = 0; i < count && max_norm > 0; i++)
    for (int64_t j = 0; j < sizes[i]; j++) gradients[i][j] = round_bf16(widen(gradients[i][j]) * factor);
  restore_arithmetic(before);
  return total;
}

/* beta to the power of a step, by squaring. */
static double power(double beta, int64_t step) {
  double p = 1;
  for (double q = beta; step > 0; step /= 2, q = q * q)
    if (step % 2) p = p * q;
  return p;
}

INLINE float canonical(float x) { return x == x ? x : float_of(NOT_A_NUMBER); }

/* What a step of AdamW multiplies with and adds, in float32. */
typedef struct {
  float keep, take1, keep2, take2, correction2, epsilon, rate;
} factors;

static factors factors_of(const bh_adamw_settings *settings) {
  const double beta1 = settings->beta1, beta2 = settings->beta2;
  return (factors){
      .keep = (float)(1 - settings->learning_rate * settings->weight_decay),
      .take1 = (float)(1 - beta1),
      .keep2 = (float)beta2,
      .take2 = (float)(1 - beta2),
      .correction2 = (float)__builtin_sqrt(1 - power(beta2, settings->step)),
      .epsilon = (float)settings->epsilon,
      .rate = (float)(settings->learning_rate / (1 - power(beta1, settings->step))),
  };
}

/* The step of some numbers, at most SOME, so that loops over them stay in registers and cache. */
#define SOME 64
static void step_some(float *weight, const float *gradient, float *first, float *second, int64_t count, factors by) {
  for (int64_t j = 0; j < count; j++) {
    const float g = gradient[j], m = first[j] + by.take1 * (g - first[j]);
    float w = weight[j] * by.keep, v = second[j] * by.keep2;
    v = v + by.take2 * (g * g);
    float d = ROOT(v) / by.correction2;
    d = d + by.epsilon;
    w = w - by.rate * (m / d);
    weight[j] = w;
    first[j] = m;
    second[j] = v;
  }
}

static void round_some(const float *from, bh_bf16 *to, int64_t count) {
  for (int64_t j = 0; j < count; j++) to[j] = round_bf16(from[j]);
}

static void copy_some(const float *from, float *to, int64_t count) {
  for (int64_t j = 0; j < count; j++) to[j] = canonical(from[j]);
}

void bh_adamw(bh_bf16 *weight, const bh_bf16 *gradient, void *first, void *second, float *master, int64_t size,
              int32_t wide, const bh_adamw_settings *settings) {
  const uint64_t before = exact_arithmetic();
  const factors by = factors_of(settings);
  float w[SOME], g[SOME], m[SOME], v[SOME];
  for (int64_t j = 0; j < size; j += SOME) {
    const int64_t count = size - j < SOME ? size - j : SOME;
    widen_some(gradient + j, g, count);
    if (master) copy_some(master + j, w, count);
    else widen_some(weight + j, w, count);
    if (wide) copy_some((float *)first + j, m, count), copy_some((float *)second + j, v, count);
    else widen_some((bh_bf16 *)first + j, m, count), widen_some((bh_bf16 *)second + j, v, count);
    step_some(w, g, m, v, count, by);
    round_some(w, weight + j, count);
    if (master) copy_some(w, master + j, count);
    if (wide) copy_some(m, (float *)first + j, count), copy_some(v, (float *)second + j, count);
    else round_some(m, (bh_bf16 *)first + j, count), round_some(v, (bh_bf16 *)second + j, count);
  }
  restore_arithmetic(before);
}
