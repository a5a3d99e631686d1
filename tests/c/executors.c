/* The caller's parallel-for: any order, any threads, more threads than workers; tasks left out or
 * run twice. SIMD levels. */
#include <pthread.h>

#include "support.h"

enum { LONG_VOXELS = 20000, THREADS = 4 };

typedef enum behaviour {
  IN_ORDER,
  BACKWARDS,
  TWICE,
  BEYOND_THE_END,
  WITH_THREADS,
  NONE_AT_ALL,
  WITHOUT_FIRST,
  WITHOUT_LAST,
  ONE_FOR_ANOTHER,
  WITHOUT_LAST_IN_SECOND_PASS,
  BEHAVIOURS
} behaviour;

typedef struct scheduler {
  behaviour how;
  int passes;
  uint64_t tasks;
} scheduler;

typedef struct share {
  segloss_task task;
  void *state;
  uint64_t first, tasks;
} share;

static void *run_share(void *argument) {
  const share *own = argument;
  for (uint64_t i = own->first; i < own->tasks; i += THREADS) own->task(own->state, i);
  return NULL;
}

static void run_with_threads(uint64_t tasks, segloss_task task, void *state) {
  pthread_t threads[THREADS];
  share shares[THREADS];
  for (uint64_t t = 0; t < THREADS; ++t) {
    shares[t] = (share){task, state, t, tasks};
    CHECK(pthread_create(&threads[t], NULL, run_share, &shares[t]) == 0);
  }
  for (int t = 0; t < THREADS; ++t) CHECK(pthread_join(threads[t], NULL) == 0);
}

static void parallel_for(void *context, uint64_t tasks, segloss_task task, void *state) {
  scheduler *const own = context;
  const int left_out = own->how == WITHOUT_LAST ||
                       (own->how == WITHOUT_LAST_IN_SECOND_PASS && own->passes > 0);
  own->tasks = tasks;
  own->passes += 1;
  if (own->how == WITH_THREADS) {
    run_with_threads(tasks, task, state);
    return;
  }
  if (own->how == NONE_AT_ALL) return;
  for (uint64_t i = 0; i < tasks; ++i) {
    if (own->how == WITHOUT_FIRST && i == 0) continue;
    if (left_out && i == tasks - 1) continue;
    const uint64_t index = own->how == BACKWARDS ? tasks - 1 - i : i;
    task(state, own->how == ONE_FOR_ANOTHER && i == 1 ? 0 : index);
    if (own->how == TWICE) task(state, index);
    if (own->how == BEYOND_THE_END) task(state, tasks + i * (UINT64_MAX / 8));
  }
}

/* A volume of several blocks. */
static float *long_scores, *long_gradient;
static uint8_t *long_labels;

static void begin_long(problem *p) {
  begin(p);
  p->input.shape.extent[0] = LONG_VOXELS;
  const uint64_t labels = BATCH * LONG_VOXELS, scores = labels * CLASSES;
  uint64_t state = 5;
  long_scores = malloc(scores * sizeof *long_scores);
  long_gradient = malloc(scores * sizeof *long_gradient);
  long_labels = malloc(labels);
  for (uint64_t i = 0; i < scores; ++i) long_scores[i] = (float)random_score(&state);
  for (uint64_t i = 0; i < labels; ++i) long_labels[i] = (uint8_t)(i / 7 % CLASSES);
  memset(long_gradient, SENTINEL, scores * sizeof *long_gradient);
  p->input.scores = (segloss_array){long_scores, scores, SEGLOSS_F32};
  p->input.target = (segloss_array){long_labels, labels, SEGLOSS_U8};
  p->gradient.values = (segloss_array_mut){long_gradient, scores, SEGLOSS_F32};
  provide(p);
}

static void end_long(problem *p) {
  free(long_scores);
  free(long_gradient);
  free(long_labels);
  end(p);
}

static void use(problem *p, scheduler *own, uint64_t workers) {
  p->executor = (segloss_executor){own, workers, parallel_for};
  p->executor_argument = &p->executor;
  uint64_t bytes;
  CHECK(segloss_loss_scratch_size(&p->loss, &p->input, NULL, workers, &bytes, NULL) ==
        SEGLOSS_OK);
  free(p->memory);
  p->memory_bytes = (size_t)bytes + 2 * GUARD;
  p->memory = malloc(p->memory_bytes);
  memset(p->memory, SENTINEL, p->memory_bytes);
  p->scratch = (segloss_scratch){p->memory + GUARD, bytes};
}

/* Whatever the executor does, as long as every task runs: the same bits. */
static void harmless(void) {
  problem p;
  begin_long(&p);
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  const double total = p.result.total;
  const size_t bytes = p.gradient.values.length * sizeof(float);
  float *const gradient = malloc(bytes);
  memcpy(gradient, long_gradient, bytes);
  const uint64_t workers[] = {0, 1, 2, THREADS, 2000, UINT64_MAX};
  for (behaviour how = IN_ORDER; how <= WITH_THREADS; ++how) {
    for (int w = 0; w < 6; ++w) {
      scheduler own = {how, 0, 0};
      use(&p, &own, workers[w]);
      memset(long_gradient, SENTINEL, bytes);
      CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
      CHECK(own.passes == 2 && own.tasks > 3);
      CHECK(p.result.total == total && memcmp(gradient, long_gradient, bytes) == 0);
    }
  }
  /* The value alone takes one pass. */
  scheduler own = {IN_ORDER, 0, 0};
  use(&p, &own, 1);
  p.gradient_argument = NULL;
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK && own.passes == 1 && p.result.total == total);
  free(gradient);
  end_long(&p);
}

/* Every SIMD level gives the same bits. */
static void levels(void) {
  problem p;
  begin_long(&p);
  CHECK(p.loss.level == SEGLOSS_LEVEL_BEST);
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  const double total = p.result.total;
  const size_t bytes = p.gradient.values.length * sizeof(float);
  float *const gradient = malloc(bytes);
  memcpy(gradient, long_gradient, bytes);
  for (uint32_t level = SEGLOSS_LEVEL_PLAIN; level <= SEGLOSS_LEVEL_AVX512; ++level) {
    p.loss.level = level;
    memset(long_gradient, SENTINEL, bytes);
    CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
    CHECK(p.result.total == total && memcmp(gradient, long_gradient, bytes) == 0);
  }
  free(gradient);
  end_long(&p);
}

/* Tasks that the executor leaves out run on the calling thread. */
static void tasks_left_out(void) {
  problem p;
  begin_long(&p);
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  const double total = p.result.total;
  const size_t bytes = p.gradient.values.length * sizeof(float);
  float *const gradient = malloc(bytes);
  memcpy(gradient, long_gradient, bytes);
  for (behaviour how = NONE_AT_ALL; how <= WITHOUT_LAST_IN_SECOND_PASS; ++how) {
    scheduler own = {how, 0, 0};
    use(&p, &own, 2);
    memset(long_gradient, SENTINEL, bytes);
    CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
    CHECK(p.result.total == total && memcmp(gradient, long_gradient, bytes) == 0);
  }
  free(gradient);
  end_long(&p);
}

/* The first bad label is reported whatever the order. */
static void first_failure(void) {
  for (behaviour how = IN_ORDER; how <= WITH_THREADS; ++how) {
    problem p;
    begin_long(&p);
    scheduler own = {how, 0, 0};
    use(&p, &own, 2);
    long_labels[123] = 250;
    long_labels[BATCH * LONG_VOXELS - 1] = 251;
    check_refused(__FILE__, __LINE__, &p, EVALUATE | ACCUMULATE,
                  (refusal){SEGLOSS_STATUS_LABEL, SEGLOSS_ARGUMENT_TARGET, 1, 123, 250,
                            CLASSES - 1});
    CHECK(all_sentinel(long_gradient, p.gradient.values.length * sizeof(float)));
    end_long(&p);
  }
}

int main(void) {
  harmless();
  levels();
  tasks_left_out();
  first_failure();
  return finish_checks("executors");
}
