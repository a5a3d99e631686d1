/* A parallel-for by OpenMP for the C interface, whose context is the number of threads, and what
 * this machine lets threads gain. */
#include <omp.h>
#include <stdint.h>

typedef void (*segloss_task)(void *state, uint64_t index);

void parallel_for(void *context, uint64_t tasks, segloss_task task, void *state) {
#pragma omp parallel for schedule(dynamic) num_threads((int)(intptr_t)context)
  for (uint64_t i = 0; i < tasks; ++i) task(state, i);
}

enum { CHAINS = 8, STEPS = 60000 };

/* Instructions that do not wait for each other, nor for memory: they keep a whole core busy. */
static uint64_t mix(uint64_t seed) {
  uint64_t chain[CHAINS], sum = 0;
  for (int i = 0; i < CHAINS; ++i) chain[i] = seed + i + 1;
  for (int step = 0; step < STEPS; ++step)
    for (int i = 0; i < CHAINS; ++i) {
      chain[i] ^= chain[i] << 13;
      chain[i] ^= chain[i] >> 7;
      chain[i] ^= chain[i] << 17;
    }
  for (int i = 0; i < CHAINS; ++i) sum += chain[i];
  return sum;
}

/* The time that so many threads take, each of which does the same. */
double arithmetic_seconds(int threads) {
  static uint64_t sink;
  uint64_t sum = sink;
  /* They are awake before the clock starts. */
#pragma omp parallel num_threads(threads) reduction(+ : sum)
  sum += omp_get_thread_num();
  double start = omp_get_wtime();
#pragma omp parallel for schedule(static, 1) num_threads(threads) reduction(+ : sum)
  for (int i = 0; i < threads; ++i) sum += mix(i);
  sink = sum;
  return omp_get_wtime() - start;
}
