/* A pool of threads, memory, and the floating-point state of a thread. */
#ifndef BH_THREADS_H
#define BH_THREADS_H

#include <stddef.h>
#include <stdint.h>

typedef struct pool pool;
/* One of several jobs; worker: 0 … threads - 1, different for jobs that run at the same time. */
typedef void (*job)(void *context, int64_t index, int32_t worker);

pool *pool_open(int32_t threads); /* the caller is one of them; NULL without memory */
void pool_close(pool *all);
void pool_run(pool *all, int64_t jobs, job run, void *context);

/* Memory aligned to 64 bytes; NULL if there is none. release(NULL) does nothing. */
void *allocate(size_t bytes);
void release(void *memory);

/* Rounding to nearest, with subnormal numbers; returns what was set before. A host may have set flush-to-zero. */
uint64_t exact_arithmetic(void);
void restore_arithmetic(uint64_t state);

#endif
