/* Functions of float64 numbers, with bits that are the same everywhere: README.md, "Numbers" 2 to 4. */
#ifndef BH_FUNCTIONS_H
#define BH_FUNCTIONS_H

double natural_log(double x);          /* x > 0 and normal; relative error 4.4e-16 */
double exponential64(double x);        /* |x| < 700 */
void sine_cosine(double x, double *sine, double *cosine); /* |x| < 1e8 */

#endif
