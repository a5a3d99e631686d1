/* Checks, and one small problem on which every call can be tried. */
#ifndef SEGLOSS_TEST_SUPPORT_H
#define SEGLOSS_TEST_SUPPORT_H

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "segloss.h"

static int failures;

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      ++failures;                                                               \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);   \
    }                                                                           \
  } while (0)

static inline int finish_checks(const char *program) {
  if (failures != 0) fprintf(stderr, "%s: %d checks failed\n", program, failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Bytes that are not zero, not all ones, and a finite number in every type. */
enum { SENTINEL = 0x5a, GUARD = 128 };

static inline int all_sentinel(const void *data, size_t bytes) {
  const unsigned char *byte = data;
  for (size_t i = 0; i < bytes; ++i) {
    if (byte[i] != SENTINEL) return 0;
  }
  return 1;
}

/* Reproducible numbers in [-2, 2). */
static inline double random_score(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 40) / (double)(1u << 22) - 2.0;
}

enum { BATCH = 2, CLASSES = 3, VOXELS = 5, TERMS = 2 };
enum { LABELS = BATCH * VOXELS, SCORES = LABELS * CLASSES };

/* All arguments of all calls on a loss. What a call writes is sentinels before every call. */
typedef struct problem {
  segloss_term terms[TERMS];
  segloss_loss loss;
  segloss_input input;
  segloss_gradient gradient;
  segloss_executor executor;
  segloss_part part;
  /* What the calls are given: the structs above, or NULL. */
  const segloss_loss *loss_argument;
  const segloss_input *input_argument;
  const segloss_gradient *gradient_argument;
  const segloss_executor *executor_argument;
  const segloss_part *part_argument;
  segloss_evaluation *result_argument;
  uint64_t *number_argument;
  double *sums_argument;
  uint64_t sums_length;
  segloss_scratch scratch;
  /* Data and outputs; gaps, because a length that is off by one must not meet the next buffer. */
  float scores[SCORES];
  double gap_after_scores;
  uint8_t labels[LABELS];
  double gap_after_labels;
  float weights[LABELS];
  double gap_after_weights;
  float gradient_values[SCORES];
  double gap_after_gradient;
  segloss_evaluation result;
  uint64_t number;
  double *sums;
  unsigned char *memory;
  size_t memory_bytes;
} problem;

static inline void fill_outputs(problem *p) {
  memset(p->gradient_values, SENTINEL, sizeof p->gradient_values);
  memset(&p->result, SENTINEL, sizeof p->result);
  memset(&p->number, SENTINEL, sizeof p->number);
  memset(p->sums, SENTINEL, p->sums_length * sizeof(double));
}

static inline int outputs_untouched(const problem *p, uint64_t sums) {
  return all_sentinel(p->gradient_values, sizeof p->gradient_values) &&
         all_sentinel(&p->result, sizeof p->result) &&
         all_sentinel(&p->number, sizeof p->number) &&
         all_sentinel(p->sums, sums * sizeof(double));
}

/* Gives the calls as much scratch and as many sums as they ask for, again after every change. */
static inline void provide(problem *p) {
  uint64_t bytes = 0;
  free(p->memory);
  free(p->sums);
  p->sums_length = 1;
  const segloss_status sums =
      segloss_loss_sums_length(&p->loss, &p->input, NULL, &p->sums_length, NULL);
  CHECK(sums == SEGLOSS_OK || sums == SEGLOSS_STATUS_NOT_SHARDABLE);
  CHECK(segloss_loss_scratch_size(&p->loss, &p->input, NULL, 1, &bytes, NULL) == SEGLOSS_OK);
  p->sums = malloc(p->sums_length * sizeof(double));
  p->sums_argument = p->sums;
  p->memory_bytes = (size_t)bytes + 2 * GUARD;
  p->memory = malloc(p->memory_bytes);
  memset(p->memory, SENTINEL, p->memory_bytes);
  p->scratch = (segloss_scratch){p->memory + GUARD, bytes};
  fill_outputs(p);
}

/* Dice + cross-entropy of f32 scores and u8 labels, two samples of one axis. */
static inline void begin(problem *p) {
  memset(p, 0, sizeof *p);
  uint64_t state = 7, count = 0;
  CHECK(segloss_preset(SEGLOSS_PRESET_DICE_CROSS_ENTROPY, p->terms, sizeof *p->terms, TERMS,
                       &count) == SEGLOSS_OK);
  CHECK(count == TERMS);
  CHECK(segloss_loss_init(&p->loss, sizeof p->loss) == SEGLOSS_OK);
  p->loss.terms = p->terms;
  p->loss.term_count = count;
  CHECK(segloss_input_init(&p->input, sizeof p->input) == SEGLOSS_OK);
  p->input.shape.batch = BATCH;
  p->input.shape.classes = CLASSES;
  p->input.shape.axes = 1;
  p->input.shape.extent[0] = VOXELS;
  for (int i = 0; i < SCORES; ++i) p->scores[i] = (float)random_score(&state);
  for (int i = 0; i < LABELS; ++i) p->labels[i] = (uint8_t)(i % CLASSES);
  for (int i = 0; i < LABELS; ++i) p->weights[i] = (float)(1 + i % 2);
  p->input.scores = (segloss_array){p->scores, SCORES, SEGLOSS_F32};
  p->input.target = (segloss_array){p->labels, LABELS, SEGLOSS_U8};
  CHECK(segloss_gradient_init(&p->gradient, sizeof p->gradient) == SEGLOSS_OK);
  p->gradient.values = (segloss_array_mut){p->gradient_values, SCORES, SEGLOSS_F32};
  p->part = (segloss_part){BATCH, 0, 0, 0};
  p->loss_argument = &p->loss;
  p->input_argument = &p->input;
  p->gradient_argument = &p->gradient;
  p->part_argument = &p->part;
  p->result_argument = &p->result;
  p->number_argument = &p->number;
  provide(p);
}

static inline void end(problem *p) {
  CHECK(all_sentinel(p->memory, GUARD));
  CHECK(all_sentinel(p->memory + p->memory_bytes - GUARD, GUARD));
  free(p->memory);
  free(p->sums);
}

/* The calls, as a set of bits. */
enum {
  SIZE = 1,
  EVALUATE = 2,
  BLOCK = 4,
  LENGTH = 8,
  ACCUMULATE = 16,
  FINISH = 32,
  GRADIENT = 64,
  ALL = 127
};
/* Those that look at the loss, at buffers, at the sums, and those that run tasks. */
enum {
  LOSS = ALL & ~BLOCK,
  DATA = EVALUATE | ACCUMULATE | FINISH | GRADIENT,
  SUMS = ACCUMULATE | FINISH | GRADIENT,
  TASKS = EVALUATE | ACCUMULATE | GRADIENT
};

static inline segloss_status call(problem *p, int which, segloss_detail *detail) {
  switch (which) {
    case SIZE:
      return segloss_loss_scratch_size(p->loss_argument, p->input_argument, p->part_argument, 1,
                                       p->number_argument, detail);
    case EVALUATE:
      return segloss_loss_evaluate(p->loss_argument, p->input_argument, p->gradient_argument,
                                   p->scratch, p->executor_argument, p->result_argument, detail);
    case BLOCK:
      return segloss_loss_block_voxels(p->input_argument, p->number_argument, detail);
    case LENGTH:
      return segloss_loss_sums_length(p->loss_argument, p->input_argument, p->part_argument,
                                      p->number_argument, detail);
    case ACCUMULATE:
      return segloss_loss_accumulate(p->loss_argument, p->input_argument, p->part_argument,
                                     p->scratch, p->executor_argument, p->sums_argument,
                                     p->sums_length, detail);
    case FINISH:
      return segloss_loss_finish(p->loss_argument, p->input_argument, p->part_argument,
                                 p->sums_argument, p->sums_length, p->scratch, p->result_argument,
                                 detail);
    default:
      return segloss_loss_gradient(p->loss_argument, p->input_argument, p->part_argument,
                                   p->sums_argument, p->sums_length, p->gradient_argument,
                                   p->scratch, p->executor_argument, detail);
  }
}

/* What a refusal must say; position, value and expected only where `details` is set. */
typedef struct refusal {
  segloss_status status;
  uint32_t argument;
  int details;
  uint64_t position;
  double value;
  double expected;
} refusal;

static inline int same_number(double a, double b) {
  return a == b || (isnan(a) && isnan(b));
}

static inline int detail_is(const segloss_detail *detail, const refusal *want) {
  if (detail->status != want->status || detail->argument != want->argument) return 0;
  return !want->details ||
         (detail->position == want->position && same_number(detail->value, want->value) &&
          same_number(detail->expected, want->expected));
}

static inline void check_refusal(const char *file, int line, const char *what,
                                 segloss_status status, const segloss_detail *detail,
                                 const refusal *want) {
  if (status == want->status && detail_is(detail, want)) return;
  ++failures;
  fprintf(stderr,
          "%s:%d: %s: status %" PRId32 " (%s), argument %" PRIu32 ", position %" PRIu64
          ", value %g, expected %g; wanted status %" PRId32 " (%s), argument %" PRIu32,
          file, line, what, status, segloss_status_message(status), detail->argument,
          detail->position, detail->value, detail->expected, want->status,
          segloss_status_message(want->status), want->argument);
  if (want->details) {
    fprintf(stderr, ", position %" PRIu64 ", value %g, expected %g", want->position, want->value,
            want->expected);
  }
  fprintf(stderr, "\n");
}

static inline const char *call_name(int which) {
  switch (which) {
    case SIZE: return "scratch_size";
    case EVALUATE: return "evaluate";
    case BLOCK: return "block_voxels";
    case LENGTH: return "sums_length";
    case ACCUMULATE: return "accumulate";
    case FINISH: return "finish";
    default: return "gradient";
  }
}

/* Every one of these calls refuses, says why, and writes nothing; also without a detail. */
static inline void check_refused(const char *file, int line, problem *p, int calls, refusal want) {
  const uint64_t sums = p->sums_length;
  for (int which = SIZE; which <= GRADIENT; which *= 2) {
    if (!(calls & which)) continue;
    segloss_detail detail;
    memset(&detail, SENTINEL, sizeof detail);
    const segloss_status status = call(p, which, &detail);
    check_refusal(file, line, call_name(which), status, &detail, &want);
    const segloss_status without_detail = call(p, which, NULL);
    if (without_detail != status || !outputs_untouched(p, sums)) {
      ++failures;
      fprintf(stderr, "%s:%d: %s: outputs were written, or another status without detail\n", file,
              line, call_name(which));
      fill_outputs(p);
    }
  }
}

/* The calls refuse a problem after the change `...`; REFUSED_AT checks the whole detail. */
#define REFUSED(calls, status, argument, ...)                                                \
  do {                                                                                       \
    problem p;                                                                               \
    begin(&p);                                                                               \
    __VA_ARGS__;                                                                             \
    check_refused(__FILE__, __LINE__, &p, calls, (refusal){status, argument, 0, 0, 0, 0});   \
    end(&p);                                                                                 \
  } while (0)

#define REFUSED_AT(calls, status, argument, position, value, expected, ...)                  \
  do {                                                                                       \
    problem p;                                                                               \
    begin(&p);                                                                               \
    __VA_ARGS__;                                                                             \
    check_refused(__FILE__, __LINE__, &p, calls,                                             \
                  (refusal){status, argument, 1, position, value, expected});                \
    end(&p);                                                                                 \
  } while (0)

/* The calls accept a problem after the change `...`. */
#define ACCEPTED(calls, ...)                                                \
  do {                                                                      \
    problem p;                                                              \
    begin(&p);                                                              \
    __VA_ARGS__;                                                            \
    for (int which = SIZE; which <= GRADIENT; which *= 2) {                 \
      if ((calls) & which) CHECK(call(&p, which, NULL) == SEGLOSS_OK);      \
    }                                                                       \
    end(&p);                                                                \
  } while (0)

/* Makes the first term one of another kind. */
static inline void set_kind(problem *p, uint32_t kind) {
  CHECK(segloss_term_init(&p->terms[0], sizeof(segloss_term), kind) == SEGLOSS_OK);
  p->loss.term_count = 1;
}

/* A tree of 3 classes: root 0, inner node 1 above classes 0 and 1, class 2 below the root. */
enum { NODES = 5 };
static const int32_t tree_parent[NODES] = {-1, 0, 1, 1, 0};
static const int32_t tree_leaves[CLASSES] = {2, 3, 4};
static const double tree_edges[NODES] = {0, 1, 2, 3, 4};

static inline segloss_tree small_tree(void) {
  return (segloss_tree){tree_parent, tree_edges, NODES, tree_leaves, CLASSES};
}

#endif
