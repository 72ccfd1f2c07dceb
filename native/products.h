/* Matrix products: README.md, "Products". */
#ifndef BH_PRODUCTS_H
#define BH_PRODUCTS_H

#include <stdint.h>

/* Columns of a tile: one packed panel of a matrix has this many. Divides PAD. */
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define TILE 32
#elif defined(__AVX2__) || defined(__wasm__)
#define TILE 16
#else
#define TILE 8
#endif

/* Factors are words of 32 bits: one float32, or, where the processor multiplies pairs of bfloat16 numbers, the numbers k
 * and k + 1 of the inner dimension, k in the upper half. VDPBF16PS adds the product of the upper halves, rounds, adds that
 * of the lower ones, and rounds: the same chain. It takes subnormal numbers for 0, but there are none: factors in range are
 * multiples of 2^-62, so sums are multiples of 2^-124. */
#if defined(__AVX512BF16__)
#define PAIRS 1
static inline int64_t words_of(int64_t depth) { return (depth + 1) / 2; }
#else
#define PAIRS 0
static inline int64_t words_of(int64_t depth) { return depth; }
#endif

/* The left factor: word (i, k) is data[i * row + k * step]. */
typedef struct {
  const float *data;
  int64_t row, step;
} left;

/* The right factor: word (k, j) is data[j / TILE * panel + k * step + j % TILE]. Whole tiles are read. */
typedef struct {
  const float *data;
  int64_t panel, step;
} right;

/* What follows the sums of an element. */
typedef struct {
  int continues;     /* 1: the sums begin with what the result holds, and are stored unrounded */
  int narrows;       /* 1: bring into range and round to bfloat16 */
  float scale;       /* multiplies the sum; 1 leaves it */
  const float *bias; /* [columns, padded] added after that; or NULL */
} finish;

static const finish NARROWED = {0, 1, 1, 0}, CONTINUED = {1, 0, 1, 0}, PLAIN = {0, 0, 1, 0};

/* result [rows, columns] = left [rows, depth] * right [depth, columns]; whole tiles of the result are written. */
void product(int64_t rows, int64_t columns, int64_t depth, left a, right b, float *result, int64_t result_row,
             finish end);

/* Factors from matrices in rows of `stride` numbers. Where factors are pairs they are written to `words`, which has room
 * for the matrix; otherwise they are the matrix itself. */
left rows_of(const float *x, int64_t stride, int64_t rows, int64_t depth, float *words);       /* x [rows, depth] */
left columns_of(const float *x, int64_t stride, int64_t rows, int64_t depth, float *words);    /* x [depth, rows] */
right below(const float *x, int64_t stride, int64_t depth, int64_t columns, float *words);     /* x [depth, columns] */
right across(const float *x, int64_t stride, int64_t depth, int64_t columns, float *words);    /* x [columns, depth] */

/* Panels of a matrix [depth, columns] whose element (k, j) is a weight at [k * row + j * column], brought into range. */
void pack(const uint16_t *weight, int64_t depth, int64_t columns, int64_t row, int64_t column, float *panels);
static inline right packed(const float *panels, int64_t depth) { return (right){panels, words_of(depth) * TILE, TILE}; }
static inline int64_t packed_size(int64_t depth, int64_t columns) {
  return (columns + TILE - 1) / TILE * TILE * words_of(depth);
}

#endif
