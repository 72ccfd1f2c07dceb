/* Matrix products: README.md, "Products".
 *
 * Each element is one chain of sums in ascending order of the inner dimension. Products of two bfloat16 numbers in range
 * are exact, so a fused multiply-add gives the same bits as a product and a sum: this file may be compiled with
 * -ffp-contract=fast, the others not (a bias is only added where the scale is 1, which a fused operation does not change
 * either). Tiles of ROWS x TILE elements stay in registers.
 */
#if defined(__clang__)
#pragma clang fp contract(fast)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=fast")
#endif

#include "products.h"

#include "numbers.h"

#define VECTORS (TILE / WIDTH)
#if WIDTH == 16 || defined(__aarch64__)
#define ROWS 8
#elif defined(__wasm__)
#define ROWS 2
#else
#define ROWS 6
#endif

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#if PAIRS
INLINE vec add_product(vec sum, vec a, vec b) { return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b); }
#else
INLINE vec add_product(vec sum, vec a, vec b) { return sum + a * b; }
#endif

/* One tile of `rows` rows, a constant after inlining. */
INLINE void tile(const int rows, int64_t words, left a, const float *b, int64_t step, float *result, int64_t result_row,
                 finish end, const float *bias) {
  vec sum[ROWS][VECTORS];
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < VECTORS; v++)
    sum[i][v] = end.continues ? load(result + i * result_row + v * WIDTH) : spread(0);
  for (int64_t k = 0; k < words; k++) {
    vec of_b[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) of_b[v] = load(b + k * step + v * WIDTH);
    UNROLL for (int i = 0; i < rows; i++) {
      const vec of_a = (vec)spread_bits((int32_t)bits_of(a.data[i * a.row + k * a.step]));
      UNROLL for (int v = 0; v < VECTORS; v++) sum[i][v] = add_product(sum[i][v], of_a, of_b[v]);
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < VECTORS; v++) {
    vec c = sum[i][v];
    if (!end.continues) {
      c = c * end.scale;
      if (bias) c = c + load(bias + v * WIDTH);
      if (end.narrows) c = narrow(c);
    }
    store(result + i * result_row + v * WIDTH, c);
  }
}

void product(int64_t rows, int64_t columns, int64_t depth, left a, right b, float *result, int64_t result_row,
             finish end) {
  const int64_t words = words_of(depth);
  for (int64_t j = 0; j < columns; j += TILE) {
    const float *panel = b.data + j / TILE * b.panel, *bias = end.bias ? end.bias + j : 0;
    int64_t i = 0;
    for (; i + ROWS <= rows; i += ROWS) {
      const left from = {a.data + i * a.row, a.row, a.step};
      tile(ROWS, words, from, panel, b.step, result + i * result_row + j, result_row, end, bias);
    }
    for (; i + 2 <= rows; i += 2) {
      const left from = {a.data + i * a.row, a.row, a.step};
      tile(2, words, from, panel, b.step, result + i * result_row + j, result_row, end, bias);
    }
    if (i < rows) {
      const left from = {a.data + i * a.row, a.row, a.step};
      tile(1, words, from, panel, b.step, result + i * result_row + j, result_row, end, bias);
    }
  }
}

#if PAIRS

INLINE uint32_t pair(float first, float second) { return (bits_of(first) & 0xffff0000u) | bits_of(second) >> 16; }

/* Pairs of neighbours in a row. */
static void pair_row(const float *x, int64_t depth, float *words) {
  for (int64_t k = 0; k < depth / 2; k++) {
    uint64_t both; /* little-endian: the first is the lower half */
    memcpy(&both, x + 2 * k, 8);
    const uint32_t word = (uint32_t)(both & 0xffff0000u) | (uint32_t)(both >> 48);
    memcpy(words + k, &word, 4);
  }
  if (depth % 2) words[depth / 2] = float_of(pair(x[depth - 1], 0));
}

/* Pairs of a row and the next; below the last row are zeros. */
static void pair_rows(const float *x, int64_t stride, int64_t depth, int64_t columns, float *words) {
  for (int64_t k = 0; k < depth; k += 2) {
    const float *first = x + k * stride, *second = first + stride;
    float *to = words + k / 2 * stride;
    if (k + 1 < depth)
      for (int64_t j = 0; j < columns; j++) to[j] = float_of(pair(first[j], second[j]));
    else
      for (int64_t j = 0; j < columns; j++) to[j] = float_of(pair(first[j], 0));
  }
}

left rows_of(const float *x, int64_t stride, int64_t rows, int64_t depth, float *words) {
  for (int64_t i = 0; i < rows; i++) pair_row(x + i * stride, depth, words + i * stride);
  return (left){words, stride, 1};
}

left columns_of(const float *x, int64_t stride, int64_t rows, int64_t depth, float *words) {
  pair_rows(x, stride, depth, rows, words);
  return (left){words, 1, stride};
}

right below(const float *x, int64_t stride, int64_t depth, int64_t columns, float *words) {
  pair_rows(x, stride, depth, columns, words);
  return (right){words, TILE, stride};
}

#else

left rows_of(const float *x, int64_t stride, int64_t rows, int64_t depth, float *words) {
  (void)rows, (void)depth, (void)words;
  return (left){x, stride, 1};
}

left columns_of(const float *x, int64_t stride, int64_t rows, int64_t depth, float *words) {
  (void)rows, (void)depth, (void)words;
  return (left){x, 1, stride};
}

right below(const float *x, int64_t stride, int64_t depth, int64_t columns, float *words) {
  (void)depth, (void)columns, (void)words;
  return (right){x, TILE, stride};
}

#endif

right across(const float *x, int64_t stride, int64_t depth, int64_t columns, float *words) {
  const int64_t row = padded(columns);
  for (int64_t k = 0; k < words_of(depth); k++)
    for (int64_t j = 0; j < columns; j++) {
#if PAIRS
      const float *first = x + j * stride + 2 * k;
      words[k * row + j] = float_of(pair(first[0], 2 * k + 1 < depth ? first[1] : 0));
#else
      words[k * row + j] = x[j * stride + k];
#endif
    }
  return (right){words, TILE, row};
}

/* One word of the panels: a weight, or a pair of them. */
INLINE float word_of(const bh_bf16 *weight, int64_t k, int64_t depth, int64_t row) {
#if PAIRS
  const float second = 2 * k + 1 < depth ? in_range(weight[(2 * k + 1) * row]) : 0;
  return float_of(pair(in_range(weight[2 * k * row]), second));
#else
  (void)depth;
  return in_range(weight[k * row]);
#endif
}

void pack(const bh_bf16 *weight, int64_t depth, int64_t columns, int64_t row, int64_t column, float *panels) {
  for (int64_t j = 0; j < columns; j += TILE) {
    const int64_t width = columns - j < TILE ? columns - j : TILE;
    for (int64_t k = 0; k < words_of(depth); k++, panels += TILE) {
      for (int64_t i = 0; i < width; i++) panels[i] = word_of(weight + (j + i) * column, k, depth, row);
      for (int64_t i = width; i < TILE; i++) panels[i] = 0;
    }
  }
}
