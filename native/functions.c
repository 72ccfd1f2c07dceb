/* Functions of float64 numbers: README.md, "Numbers" 2 to 4. */
#include "functions.h"

#include <stdint.h>
#include <string.h>

static double scaled_by_power_of_2(double x, int64_t n) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  bits += (uint64_t)n << 52;
  memcpy(&x, &bits, 8);
  return x;
}

/* The largest integer that is not above x, for |x| < 2^62. */
static int64_t floor_of(double x) {
  const int64_t n = (int64_t)x;
  return n - (x < (double)n);
}

double natural_log(double x) {
  if (!(x > 0 && x < __builtin_inf())) return x; /* NaN, or an infinite sum */
  uint64_t bits;
  memcpy(&bits, &x, 8);
  int64_t e = (int64_t)(bits >> 52) - 1023;
  double m = scaled_by_power_of_2(x, -e);
  if (m > 1.4142135623730951) {
    m = m * 0.5;
    e = e + 1;
  }
  const double s = (m - 1) / (m + 1), z = s * s;
  double p = 1.0 / 21;
  for (int k = 19; k >= 1; k -= 2) p = p * z + 1.0 / k;
  return (2 * s) * p + (double)e * 0.6931471805599453;
}

/* 1/m!, rounded to float64. */
static double factorial_inverse(int m) {
  double f = 1;
  for (int i = 2; i <= m; i++) f *= i; /* exact up to 18! */
  return 1 / f;
}

void sine_cosine(double x, double *sine, double *cosine) {
  const int64_t n = floor_of(x * 0.6366197723675814 + 0.5);
  double r = x - (double)n * 1.5707963267341256;
  r = r - (double)n * 6.077100506303966e-11;
  r = r - (double)n * 2.0222662487959506e-21;
  const double z = r * r;
  double even = 0, odd = 0;
  for (int k = 8; k >= 0; k--) {
    const double sign = k % 2 ? -1 : 1;
    even = even * z + sign * factorial_inverse(2 * k);
    odd = odd * z + sign * factorial_inverse(2 * k + 1);
  }
  odd = odd * r;
  const int quadrant = (int)(n & 3);
  *sine = quadrant == 0 ? odd : quadrant == 1 ? even : quadrant == 2 ? -odd : -even;
  *cosine = quadrant == 0 ? even : quadrant == 1 ? -odd : quadrant == 2 ? -even : odd;
}

double exponential64(double x) {
  const int64_t n = floor_of(x * 1.4426950408889634 + 0.5);
  double r = x - (double)n * 0.6931471803691238;
  r = r - (double)n * 1.9082149292705877e-10;
  double p = 0;
  for (int m = 13; m >= 0; m--) p = p * r + factorial_inverse(m);
  return scaled_by_power_of_2(p, n);
}
