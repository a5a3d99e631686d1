/* A parallel-for by OpenMP for the C interface; the context is the number of threads. */
#include <stdint.h>

typedef void (*segloss_task)(void *state, uint64_t index);

void parallel_for(void *context, uint64_t tasks, segloss_task task, void *state) {
#pragma omp parallel for schedule(dynamic) num_threads((int)(intptr_t)context)
  for (uint64_t i = 0; i < tasks; ++i) task(state, i);
}
