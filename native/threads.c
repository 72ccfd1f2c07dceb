/* A pool of threads, memory, and the floating-point state of a thread. */
#include "threads.h"

#include <stdlib.h>

#include "portable.h"

#if !defined(__wasm__)
#include <pthread.h>
#endif

void *allocate(size_t bytes) {
  char *raw = malloc(bytes + 64 + sizeof(void *));
  if (!raw) return NULL;
  char *aligned = (char *)(((uintptr_t)raw + sizeof(void *) + 63) & ~(uintptr_t)63);
  ((void **)aligned)[-1] = raw;
  return aligned;
}

void release(void *memory) {
  if (memory) free(((void **)memory)[-1]);
}

void *bh_allocate(int64_t bytes) { return allocate((size_t)bytes); }
void bh_free(void *memory) { release(memory); }

#if defined(__x86_64__)
uint64_t exact_arithmetic(void) {
  const uint32_t before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(0x1f80);
  return before;
}
void restore_arithmetic(uint64_t state) { __builtin_ia32_ldmxcsr((uint32_t)state); }
#elif defined(__aarch64__)
uint64_t exact_arithmetic(void) {
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
  return before;
}
void restore_arithmetic(uint64_t state) { __asm__ volatile("msr fpcr, %0" : : "r"(state)); }
#else
uint64_t exact_arithmetic(void) { return 0; }
void restore_arithmetic(uint64_t state) { (void)state; }
#endif

#if defined(__wasm__)

struct pool {
  int32_t threads;
};

pool *pool_open(int32_t threads) {
  pool *all = allocate(sizeof(pool));
  if (all) all->threads = threads;
  return all;
}

void pool_close(pool *all) { release(all); }

void pool_run(pool *all, int64_t jobs, job run, void *context) {
  (void)all;
  for (int64_t i = 0; i < jobs; i++) run(context, i, 0);
}

#else

#define MOST_THREADS 256

struct pool {
  int32_t threads; /* with the caller */
  pthread_t handles[MOST_THREADS];
  pthread_mutex_t lock;
  pthread_cond_t has_work, is_done;
  int64_t round; /* of work; raised for each call of pool_run */
  int32_t started, busy;
  int is_closing;
  int64_t jobs, next;
  job run;
  void *context;
};

static void take_jobs(pool *all, int32_t worker) {
  for (;;) {
    const int64_t index = __atomic_fetch_add(&all->next, 1, __ATOMIC_RELAXED);
    if (index >= all->jobs) return;
    all->run(all->context, index, worker);
  }
}

static void *serve(void *argument) {
  pool *all = argument;
  exact_arithmetic();
  pthread_mutex_lock(&all->lock);
  const int32_t worker = ++all->started;
  int64_t seen = 0;
  while (!all->is_closing) {
    if (all->round == seen) {
      pthread_cond_wait(&all->has_work, &all->lock);
      continue;
    }
    seen = all->round;
    pthread_mutex_unlock(&all->lock);
    take_jobs(all, worker);
    pthread_mutex_lock(&all->lock);
    if (--all->busy == 0) pthread_cond_signal(&all->is_done);
  }
  pthread_mutex_unlock(&all->lock);
  return NULL;
}

pool *pool_open(int32_t threads) {
  if (threads < 1 || threads > MOST_THREADS) return NULL;
  pool *all = allocate(sizeof(pool));
  if (!all) return NULL;
  *all = (pool){.threads = 1};
  pthread_mutex_init(&all->lock, NULL);
  pthread_cond_init(&all->has_work, NULL);
  pthread_cond_init(&all->is_done, NULL);
  while (all->threads < threads) {
    if (pthread_create(&all->handles[all->threads], NULL, serve, all) != 0) break; /* fewer threads, the same bits */
    all->threads++;
  }
  return all;
}

void pool_close(pool *all) {
  if (!all) return;
  pthread_mutex_lock(&all->lock);
  all->is_closing = 1;
  pthread_cond_broadcast(&all->has_work);
  pthread_mutex_unlock(&all->lock);
  for (int32_t i = 1; i < all->threads; i++) pthread_join(all->handles[i], NULL);
  pthread_cond_destroy(&all->is_done);
  pthread_cond_destroy(&all->has_work);
  pthread_mutex_destroy(&all->lock);
  release(all);
}

void pool_run(pool *all, int64_t jobs, job run, void *context) {
  pthread_mutex_lock(&all->lock);
  all->jobs = jobs;
  all->next = 0;
  all->run = run;
  all->context = context;
  all->busy = all->threads - 1;
  all->round++;
  pthread_cond_broadcast(&all->has_work);
  pthread_mutex_unlock(&all->lock);
  take_jobs(all, 0);
  pthread_mutex_lock(&all->lock);
  while (all->busy > 0) pthread_cond_wait(&all->is_done, &all->lock);
  pthread_mutex_unlock(&all->lock);
}

#endif
