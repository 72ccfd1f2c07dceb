/* Norms of rows, forward and backward: README.md, "A sequence". */
#include "norms.h"

#include "numbers.h"

#define ROOT(x) __builtin_sqrtf(x)
#define EACH_COLUMN(j, width) for (int64_t j = 0; j < (width); j += LANES)

/* y = x̂ * w with x̂ = x / √(mean of x² + eps) */
static void rms_forward(norm n, const float *x, const float *weight, float *unit, float *inverse, float *y) {
  lanes squares = lanes_of(0);
  EACH_COLUMN(j, n.width) {
    const lanes of_x = load_lanes(x + j, n.width - j, 0);
    EACH_PART(i) squares.part[i] += of_x.part[i] * of_x.part[i];
  }
  const float inv = 1 / ROOT(sum_of_lanes(&squares) / (float)n.width + n.epsilon);
  *inverse = inv;
  EACH_COLUMN(j, n.width) {
    lanes a = load_lanes(x + j, n.width - j, 0), w = load_lanes(weight + j, n.width - j, 0), of_y;
    EACH_PART(i) {
      a.part[i] = a.part[i] * inv;
      of_y.part[i] = narrow(a.part[i] * w.part[i]);
    }
    store_lanes(unit + j, n.width - j, &a);
    store_lanes(y + j, n.width - j, &of_y);
  }
}

/* n = dy * w; dx = (n - x̂ * mean(n * x̂)) * inv */
static void rms_backward(norm n, const float *dy, const float *weight, const float *unit, float inverse,
                         float *weight_sum, float *dx) {
  lanes along = lanes_of(0);
  EACH_COLUMN(j, n.width) {
    const int64_t count = n.width - j;
    const lanes g = load_lanes(dy + j, count, 0), u = load_lanes(unit + j, count, 0);
    const lanes w = load_lanes(weight + j, count, 0);
    lanes sum = load_lanes(weight_sum + j, count, 0);
    EACH_PART(i) {
      sum.part[i] += g.part[i] * u.part[i];
      along.part[i] += g.part[i] * w.part[i] * u.part[i];
    }
    store_lanes(weight_sum + j, count, &sum);
  }
  const float mean = sum_of_lanes(&along) / (float)n.width;
  EACH_COLUMN(j, n.width) {
    const int64_t count = n.width - j;
    const lanes g = load_lanes(dy + j, count, 0), u = load_lanes(unit + j, count, 0);
    const lanes w = load_lanes(weight + j, count, 0);
    lanes out;
    EACH_PART(i) {
      const vec scaled = g.part[i] * w.part[i];
      const vec off = u.part[i] * mean;
      out.part[i] = narrow((scaled - off) * inverse);
    }
    store_lanes(dx + j, count, &out);
  }
}

/* y = (x * inv + (-inv * mean)) * w + b */
static void layer_forward(norm n, const float *x, const float *weight, const float *bias, float *kept, float *mean,
                          float *inverse, float *y) {
  lanes sum = lanes_of(0), squares = lanes_of(0);
  EACH_COLUMN(j, n.width) {
    const lanes of_x = load_lanes(x + j, n.width - j, 0);
    EACH_PART(i) sum.part[i] += of_x.part[i];
  }
  const float m = sum_of_lanes(&sum) / (float)n.width;
  EACH_COLUMN(j, n.width) {
    const lanes of_x = load_lanes(x + j, n.width - j, m);
    EACH_PART(i) {
      const vec off = of_x.part[i] - m;
      squares.part[i] += off * off;
    }
  }
  const float inv = 1 / ROOT(sum_of_lanes(&squares) / (float)n.width + n.epsilon), shift = -inv * m;
  EACH_COLUMN(j, n.width) {
    const int64_t count = n.width - j;
    const lanes of_x = load_lanes(x + j, count, 0), w = load_lanes(weight + j, count, 0);
    const lanes b = load_lanes(bias + j, count, 0);
    lanes out;
    EACH_PART(i) {
      const vec unit = of_x.part[i] * inv + shift;
      out.part[i] = narrow(unit * w.part[i] + b.part[i]);
    }
    store_lanes(kept + j, count, &of_x);
    store_lanes(y + j, count, &out);
  }
  *mean = rounded(m);
  *inverse = rounded(inv);
}

/* x̂ = x * r + (-r * μ); n = dy * w; dx = ((n - mean(n)) - x̂ * mean(n * x̂)) * r */
static void layer_backward(norm n, const float *dy, const float *weight, const float *x, float mean, float inverse,
                           float *weight_sum, float *bias_sum, float *dx) {
  const float shift = -inverse * mean;
  lanes of_n = lanes_of(0), of_unit = lanes_of(0);
  EACH_COLUMN(j, n.width) {
    const int64_t count = n.width - j;
    const lanes g = load_lanes(dy + j, count, 0), w = load_lanes(weight + j, count, 0), of_x = load_lanes(x + j, count, 0);
    EACH_PART(i) {
      const vec unit = of_x.part[i] * inverse + shift, scaled = g.part[i] * w.part[i];
      of_n.part[i] += scaled;
      of_unit.part[i] += scaled * unit;
    }
  }
  for (int64_t j = 0; j < n.width; j++) {
    const float unit = x[j] * inverse + shift;
    weight_sum[j] = rounded(weight_sum[j] + dy[j] * unit);
    bias_sum[j] = rounded(bias_sum[j] + dy[j]);
  }
  const float first = sum_of_lanes(&of_n) / (float)n.width, second = sum_of_lanes(&of_unit) / (float)n.width;
  EACH_COLUMN(j, n.width) {
    const int64_t count = n.width - j;
    const lanes g = load_lanes(dy + j, count, 0), w = load_lanes(weight + j, count, 0), of_x = load_lanes(x + j, count, 0);
    lanes out;
    EACH_PART(i) {
      const vec unit = of_x.part[i] * inverse + shift, scaled = g.part[i] * w.part[i];
      const vec centred = scaled - first, along = unit * second;
      out.part[i] = narrow((centred - along) * inverse);
    }
    store_lanes(dx + j, count, &out);
  }
}

void norm_forward(norm n, int64_t rows, const float *x, int64_t stride, const float *weight, const float *bias,
                  norm_state *state, int64_t kept_stride, float *y, int64_t y_stride) {
  for (int64_t i = 0; i < rows; i++) {
    float *kept = state->kept + i * kept_stride;
    if (n.is_layer_norm)
      layer_forward(n, x + i * stride, weight, bias, kept, state->mean + i, state->inverse + i, y + i * y_stride);
    else
      rms_forward(n, x + i * stride, weight, kept, state->inverse + i, y + i * y_stride);
  }
}

void norm_backward(norm n, int64_t rows, const float *dy, int64_t stride, const float *weight, const norm_state *state,
                   int64_t kept_stride, float *weight_sum, float *bias_sum, float *dx, int64_t dx_stride) {
  for (int64_t i = 0; i < rows; i++) {
    const float *of_dy = dy + i * stride, *kept = state->kept + i * kept_stride;
    float *of_dx = dx + i * dx_stride;
    if (n.is_layer_norm)
      layer_backward(n, of_dy, weight, kept, state->mean[i], state->inverse[i], weight_sum, bias_sum, of_dx);
    else
      rms_backward(n, of_dy, weight, kept, state->inverse[i], weight_sum, of_dx);
  }
}
