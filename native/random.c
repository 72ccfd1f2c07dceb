/* Random numbers: README.md, "Random numbers". */
#include "functions.h"
#include "numbers.h"
#include "threads.h"

#define HALF 8 /* of a group of 16 */

void bh_normals(float *values, int64_t count) {
  const uint64_t before = exact_arithmetic();
  for (int64_t group = 0; group + 2 * HALF <= count; group += 2 * HALF)
    for (int64_t i = group; i < group + HALF; i++) {
      const double radius = __builtin_sqrt(-2 * natural_log(1 - (double)values[i]));
      double sine, cosine;
      sine_cosine(6.283185307179586 * (double)values[i + HALF], &sine, &cosine);
      values[i] = (float)(radius * cosine);
      values[i + HALF] = (float)(radius * sine);
    }
  restore_arithmetic(before);
}

void bh_unit_vector(float *values, int64_t count, int32_t is_narrow) {
  const uint64_t before = exact_arithmetic();
  lanes squares = lanes_of(0);
  for (int64_t j = 0; j < count; j += LANES) {
    float some[LANES];
    for (int64_t i = 0; i < LANES; i++) some[i] = j + i < count ? values[j + i] : 0;
    const lanes x = load_lanes(some, LANES, 0);
    EACH_PART(i) squares.part[i] += x.part[i] * x.part[i];
  }
  const float norm = __builtin_sqrtf(sum_of_lanes(&squares)), divisor = is_narrow ? rounded(norm) : norm;
  for (int64_t j = 0; j < count; j++) values[j] = is_narrow ? rounded(values[j] / divisor) : values[j] / divisor;
  restore_arithmetic(before);
}

/* Mersenne Twister (Matsumoto & Nishimura 1998), seeded as torch's generator on the CPU. */
#define WORDS 624
#define SHIFT 397

void bh_seed(bh_stream *stream, uint64_t seed) {
  stream->words[0] = (uint32_t)seed;
  for (uint32_t i = 1; i < WORDS; i++) {
    const uint32_t last = stream->words[i - 1];
    stream->words[i] = 1812433253u * (last ^ (last >> 30)) + i;
  }
  stream->next = WORDS;
}

static void twist(bh_stream *stream) {
  uint32_t *words = stream->words;
  for (int i = 0; i < WORDS; i++) {
    const uint32_t mixed = (words[i] & 0x80000000u) | (words[(i + 1) % WORDS] & 0x7fffffffu);
    words[i] = words[(i + SHIFT) % WORDS] ^ (mixed >> 1) ^ (mixed & 1 ? 0x9908b0dfu : 0);
  }
  stream->next = 0;
}

uint32_t bh_random(bh_stream *stream) {
  if (stream->next == WORDS) twist(stream);
  uint32_t y = stream->words[stream->next++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

void bh_uniforms(bh_stream *stream, float *values, int64_t count) {
  for (int64_t i = 0; i < count; i++) values[i] = (float)(bh_random(stream) & 0xffffff) / 16777216.0f;
}

void bh_permutation(uint64_t seed, int32_t *order, int64_t count) {
  bh_stream stream;
  bh_seed(&stream, seed);
  for (int64_t i = 0; i < count; i++) order[i] = (int32_t)i;
  for (int64_t i = 0; i < count - 1; i++) {
    const int64_t with = i + (int64_t)(bh_random(&stream) % (uint64_t)(count - i));
    const int32_t other = order[with];
    order[with] = order[i];
    order[i] = other;
  }
}
