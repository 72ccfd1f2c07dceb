/* What happens element by element: README.md, "A sequence". */
#include "pointwise.h"

#include "functions.h"
#include "numbers.h"

#define EACH_VECTOR(j, count) for (int64_t j = 0; j < (count); j += WIDTH)

static const float SLOPE = 1.5957691216057308f, CUBIC = 0.07135481282553519f; /* 2 √(2/π), and that times 0.044715 */

void add_narrow(float *x, const float *y, int64_t count) {
  EACH_VECTOR(j, count) store(x + j, narrow(load(x + j) + load(y + j)));
}

INLINE vec sigmoid(vec z) { return 1.0f / (exponential(-z) + 1.0f); }

void gelu_forward(const float *u, float *slope, float *y, int64_t count) {
  const float steep = 3 * CUBIC;
  EACH_VECTOR(j, count) {
    const vec x = load(u + j), square = x * x;
    vec z = square * CUBIC;
    z = z + SLOPE;
    const vec g = sigmoid(z * x);
    vec k = square * steep;
    k = k + SLOPE;
    vec h = g * (1.0f - g);
    h = h * x;
    h = h * k;
    store(slope + j, g + h);
    store(y + j, narrow(x * g));
  }
}

void gelu_backward(const float *dy, const float *slope, float *du, int64_t count) {
  EACH_VECTOR(j, count) store(du + j, narrow(load(dy + j) * load(slope + j)));
}

void swiglu_forward(const float *a, const float *b, float *value, float *slope, float *y, int64_t count) {
  EACH_VECTOR(j, count) {
    const vec x = load(a + j), g = sigmoid(x), product = x * g;
    vec h = g * (1.0f - g);
    h = h * x;
    store(value + j, product);
    store(slope + j, g + h);
    store(y + j, narrow(product * load(b + j)));
  }
}

void swiglu_backward(const float *dy, const float *b, const float *value, const float *slope, float *da, float *db,
                     int64_t count) {
  EACH_VECTOR(j, count) {
    const vec grad = load(dy + j), ds = grad * load(b + j);
    store(db + j, narrow(grad * load(value + j)));
    store(da + j, narrow(ds * load(slope + j)));
  }
}

void rotary_factors(double theta, int64_t length, int64_t size, float *cosines, float *sines) {
  const double log_theta = natural_log(theta);
  for (int64_t i = 0; i < size / 2; i++) {
    const double frequency = exponential64(-((double)(2 * i) / (double)size) * log_theta);
    for (int64_t t = 0; t < length; t++) {
      double sine, cosine;
      sine_cosine((double)t * frequency, &sine, &cosine);
      cosines[t * (size / 2) + i] = narrow_one((float)cosine);
      sines[t * (size / 2) + i] = narrow_one((float)sine);
    }
  }
}

void rotate(float *x, int64_t length, int64_t size, int64_t stride, const float *cosines, const float *sines,
            int backwards) {
  const int64_t half = size / 2;
  for (int64_t t = 0; t < length; t++) {
    float *first = x + t * stride, *second = first + half;
    for (int64_t i = 0; i < half; i++) {
      const float c = cosines[t * half + i], s = backwards ? -sines[t * half + i] : sines[t * half + i];
      const float a = first[i], b = second[i];
      first[i] = narrow_one(a * c - b * s);
      second[i] = narrow_one(b * c + a * s);
    }
  }
}

double cross_entropy(float *logits, int64_t vocabulary, int64_t target, float share) {
  if (target < 0) {
    memset(logits, 0, (size_t)vocabulary * sizeof(float));
    return 0;
  }
  const float of_target = logits[target];
  const exponentials of = take_exponentials(logits, vocabulary);
  const float inverse = 1 / of.sum;
  const float p = logits[target] * inverse;
  for (int64_t j = 0; j < vocabulary; j += LANES) {
    lanes e = load_lanes(logits + j, vocabulary - j, 0);
    EACH_PART(i) e.part[i] = narrow(e.part[i] * inverse * share);
    store_lanes(logits + j, vocabulary - j, &e);
  }
  logits[target] = narrow_one((p - 1) * share);
  return natural_log((double)of.sum) + ((double)of.maximum - (double)of_target);
}
