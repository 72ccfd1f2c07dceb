/* Vectors, rounding and sums with a fixed order: README.md, "Words" and "Numbers" 1. */
#ifndef BH_NUMBERS_H
#define BH_NUMBERS_H

#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#include "portable.h"

/* Lanes of a hardware vector. It changes the speed, never a bit. */
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define WIDTH 16
#elif defined(__AVX2__)
#define WIDTH 8
#else
#define WIDTH 4
#endif

#define LANES 16 /* of sums over a row: part of the recipe */
#define PAD 32   /* whole tiles of this many columns can be read and written */

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * WIDTH)));
typedef int32_t ivec __attribute__((vector_size(4 * WIDTH)));
typedef float unaligned_vec __attribute__((vector_size(4 * WIDTH), aligned(4)));

/* Numbers from one row of a matrix to the next. The extra 16 keep it off powers of 2, which would crowd few lines of the
 * cache, and let sixteen numbers be read from any column. */
INLINE int64_t padded(int64_t columns) { return (columns + PAD - 1) / PAD * PAD + LANES; }
INLINE vec load(const float *at) { return *(const unaligned_vec *)at; }
INLINE void store(float *at, vec x) { *(unaligned_vec *)at = x; }
INLINE vec spread(float x) { return x - (vec){0}; }
INLINE ivec spread_bits(int32_t x) { return x - (ivec){0}; }

INLINE uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

INLINE float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

/* mask ? x : y, for masks that comparisons give. */
INLINE ivec choose_bits(ivec mask, ivec x, ivec y) { return (mask & x) | (~mask & y); }
INLINE vec choose(ivec mask, vec x, vec y) { return (vec)choose_bits(mask, (ivec)x, (ivec)y); }

#define SMALLEST 0x24000000 /* bits of 2^-55 */
#define LARGEST 0x5f000000  /* bits of 2^63 */
#define INFINITE 0x7f800000
#define NOT_A_NUMBER 0x7fc00000

/* Whether any number is above a limit. */
INLINE int is_any_above(ivec x, int32_t limit) {
#if WIDTH == 16
  return _mm512_cmpgt_epi32_mask((__m512i)x, _mm512_set1_epi32(limit)) != 0;
#else
  const ivec mask = x > limit;
#if WIDTH == 8
  return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#elif defined(__SSE2__)
  return _mm_movemask_epi8((__m128i)mask) != 0;
#elif defined(__aarch64__)
  return vmaxvq_u32((uint32x4_t)mask) != 0;
#elif defined(__wasm_simd128__)
  return wasm_v128_any_true((v128_t)mask);
#else
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
#endif
}

/* x between two limits; a NaN gives anything. */
INLINE vec between(float low, float high, vec x) {
#if WIDTH == 16
  return (vec)_mm512_min_ps(_mm512_max_ps((__m512)x, _mm512_set1_ps(low)), _mm512_set1_ps(high));
#elif WIDTH == 8
  return (vec)_mm256_min_ps(_mm256_max_ps((__m256)x, _mm256_set1_ps(low)), _mm256_set1_ps(high));
#elif defined(__SSE2__)
  return (vec)_mm_min_ps(_mm_max_ps((__m128)x, _mm_set1_ps(low)), _mm_set1_ps(high));
#elif defined(__aarch64__)
  return (vec)vminq_f32(vmaxq_f32((float32x4_t)x, vdupq_n_f32(low)), vdupq_n_f32(high));
#elif defined(__wasm_simd128__)
  return (vec)wasm_f32x4_pmin(wasm_f32x4_pmax((v128_t)x, wasm_f32x4_splat(low)), wasm_f32x4_splat(high));
#else
  const vec y = choose(x < spread(low), spread(low), x);
  return choose(y > spread(high), spread(high), y);
#endif
}

/* Bring into range and round to bfloat16. */
INLINE vec narrow(vec x) {
  const ivec bits = (ivec)x, size = bits & 0x7fffffff;
  ivec rounded = (bits + 0x7fff + ((bits >> 16) & 1)) & (int32_t)0xffff0000;
  rounded = rounded & ~(size < SMALLEST);
  if (__builtin_expect(is_any_above(size, LARGEST), 0)) {
    const ivec is_large = size > LARGEST;
    rounded = choose_bits(is_large & (size < INFINITE), (bits & (int32_t)0x80000000) | LARGEST, rounded);
    rounded = choose_bits(size > INFINITE, spread_bits(NOT_A_NUMBER), rounded);
  }
  return (vec)rounded;
}

/* The same for one number. */
INLINE float narrow_one(float x) {
  const uint32_t bits = bits_of(x), size = bits & 0x7fffffff;
  if (size > INFINITE) return float_of(NOT_A_NUMBER);
  if (size < SMALLEST) return 0;
  if (size > LARGEST && size < INFINITE) return float_of((bits & 0x80000000) | LARGEST);
  return float_of((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
}

/* The nearest bfloat16, ties to even, without a range. */
INLINE bh_bf16 round_bf16(float x) {
  const uint32_t bits = bits_of(x);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return (bh_bf16)((bits & 0x7fffffff) > INFINITE ? NOT_A_NUMBER >> 16 : rounded);
}

INLINE float widen(bh_bf16 x) { return float_of((uint32_t)x << 16); }
INLINE float rounded(float x) { return widen(round_bf16(x)); }
INLINE float in_range(bh_bf16 x) { return narrow_one(widen(x)); }

/* Sixteen sums (or maxima) of a row. */
typedef struct {
  vec part[LANES / WIDTH];
} lanes;

INLINE lanes lanes_of(float x) {
  lanes all;
  for (int i = 0; i < LANES / WIDTH; i++) all.part[i] = spread(x);
  return all;
}

#define EACH_PART(i) for (int i = 0; i < LANES / WIDTH; i++)

/* Which of the numbers of part i are among the first `count`. */
INLINE ivec first_ones(int i, int64_t count) {
  static const int32_t order[LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  ivec numbers;
  memcpy(&numbers, order + i * WIDTH, sizeof numbers);
  return numbers < spread_bits(count < LANES ? (int32_t)count : LANES);
}

/* Sixteen numbers of a row, of which the first `count` exist; the others are `rest`, whatever is in memory there. */
INLINE lanes load_lanes(const float *at, int64_t count, float rest) {
  lanes all;
  EACH_PART(i) all.part[i] = load(at + i * WIDTH);
  if (count < LANES) EACH_PART(i) all.part[i] = choose(first_ones(i, count), all.part[i], spread(rest));
  return all;
}

/* Only the first `count` numbers change; the others are read and written back. */
INLINE void store_lanes(float *at, int64_t count, const lanes *all) {
  if (count >= LANES) EACH_PART(i) store(at + i * WIDTH, all->part[i]);
  else EACH_PART(i) store(at + i * WIDTH, choose(first_ones(i, count), all->part[i], load(at + i * WIDTH)));
}

/* Quarters of sixteen numbers, so that what is 8 and 4 apart meets in vectors. */
typedef float four __attribute__((vector_size(16)));
typedef int32_t four_bits __attribute__((vector_size(16)));

INLINE four greater(four x, four y) {
  const four_bits mask = y > x;
  return (four)((mask & (four_bits)y) | (~mask & (four_bits)x));
}

INLINE float sum_of_lanes(const lanes *all) {
  four q[4];
  memcpy(q, all->part, sizeof q);
  const four s = (q[0] + q[2]) + (q[1] + q[3]);
  return (s[0] + s[2]) + (s[1] + s[3]);
}

INLINE float maximum_of_lanes(const lanes *all) {
  four q[4];
  memcpy(q, all->part, sizeof q);
  const four s = greater(greater(q[0], q[2]), greater(q[1], q[3]));
  const float even = s[2] > s[0] ? s[2] : s[0], odd = s[3] > s[1] ? s[3] : s[1];
  return odd > even ? odd : even;
}

/* exp for |x| up to 87 (clamped); at most 0.98 ulp from the true value. Cephes expf. */
INLINE vec exponential(vec x) {
  const vec y = between(-87, 87, x);
  const vec shifted = y * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: the low bits of the sum are the rounded integer */
  const vec n = shifted - 12582912.0f;
  vec r = y - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  vec p = spread(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r);
  p = p + r;
  p = p + 1.0f;
  const vec scaled = (vec)((ivec)p + ((ivec)shifted << 23));
  return choose(x == x, scaled, x);
}

/* The maximum of a row and the sum of its exponentials, which replace it, as softmax needs them. Up to the next multiple of
 * sixteen the row is filled with zeros, which would not change the sum. */
typedef struct {
  float maximum, sum;
} exponentials;

INLINE exponentials take_exponentials(float *row, int64_t count) {
  lanes most = lanes_of(-__builtin_inff()), sum = lanes_of(0);
  for (int64_t j = 0; j < count; j += LANES) {
    const lanes x = load_lanes(row + j, count - j, -__builtin_inff());
    EACH_PART(i) most.part[i] = choose(x.part[i] > most.part[i], x.part[i], most.part[i]);
  }
  const float maximum = maximum_of_lanes(&most);
  for (int64_t j = 0; j < count; j += LANES) {
    lanes e = load_lanes(row + j, LANES, 0);
    EACH_PART(i) {
      e.part[i] = exponential(e.part[i] - maximum);
      if (count - j < LANES) e.part[i] = choose(first_ones(i, count - j), e.part[i], spread(0));
      sum.part[i] += e.part[i];
    }
    store_lanes(row + j, LANES, &e);
  }
  return (exponentials){maximum, sum_of_lanes(&sum)};
}

#endif
