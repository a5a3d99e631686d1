/* One small pair of label maps on which the calls on surfaces can be tried. */
#ifndef SEGLOSS_TEST_SURFACES_H
#define SEGLOSS_TEST_SURFACES_H

#include "support.h"

enum { ROWS = 4, COLUMNS = 6, PLACES = ROWS * COLUMNS, PERCENTILES = 2, TOLERANCES = 3 };

/* All arguments of both calls. */
typedef struct surface_problem {
  segloss_surface_options options;
  segloss_label_pair pair;
  segloss_executor executor;
  segloss_scratch scratch;
  segloss_surface_result *results;
  double *percentiles;
  segloss_tolerance_shares *shares;
  uint64_t results_length;
  uint64_t percentiles_length;
  uint64_t shares_length;
  /* What the calls are given: the members, or NULL. */
  const segloss_surface_options *options_argument;
  const segloss_label_pair *pair_argument;
  const segloss_executor *executor_argument;
  uint64_t *bytes_argument;
  /* Data; gaps, because a length or a type that is too large must not meet the next buffer. */
  double percentile_list[PERCENTILES];
  double gap_0;
  double tolerance_list[TOLERANCES];
  double gap_1;
  uint8_t prediction[PLACES];
  double gap_2;
  int16_t reference[PLACES];
  double gap_3[32];
  struct {
    segloss_surface_result results[CLASSES + 1];
    double percentiles[CLASSES * PERCENTILES + 1];
    segloss_tolerance_shares shares[CLASSES * TOLERANCES + 1];
    uint64_t bytes;
  } out;
} surface_problem;

/* The calls, as a set of bits. */
enum { SURFACE_SIZE = 1, SURFACES = 2, BOTH = 3 };

static inline segloss_status call_surface(surface_problem *p, int which,
                                          segloss_detail *detail) {
  if (which == SURFACE_SIZE) {
    return segloss_surface_scratch_size(p->options_argument, p->pair_argument, 1,
                                        p->bytes_argument, detail);
  }
  return segloss_surface_metrics(p->options_argument, p->pair_argument, p->results,
                                 p->results_length, p->percentiles, p->percentiles_length,
                                 p->shares, p->shares_length, p->scratch, p->executor_argument,
                                 detail);
}

/* Scratch as large as the call asks for, no byte more. */
static inline void provide_surface_scratch(surface_problem *p) {
  free(p->scratch.data);
  CHECK(segloss_surface_scratch_size(&p->options, &p->pair, 1, &p->scratch.bytes, NULL) ==
        SEGLOSS_OK);
  p->scratch.data = malloc(p->scratch.bytes);
}

/* Class 1 is a square of 2 x 2 voxels in the reference and the next column in the prediction, class
 * 2 in the corner of the reference alone; 7 is ignored. Spacing 2, 0.5. */
static inline void begin_surfaces(surface_problem *p) {
  static const uint8_t prediction[PLACES] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0,
                                             0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};
  static const int16_t reference[PLACES] = {0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0,
                                            0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 7, 2};
  memset(p, 0, sizeof *p);
  memcpy(p->prediction, prediction, sizeof prediction);
  memcpy(p->reference, reference, sizeof reference);
  CHECK(segloss_surface_options_init(&p->options, sizeof p->options) == SEGLOSS_OK);
  const double percentiles[] = {50, 95}, tolerances[] = {0, 0.5, 2};
  memcpy(p->percentile_list, percentiles, sizeof percentiles);
  memcpy(p->tolerance_list, tolerances, sizeof tolerances);
  p->options.percentiles = (segloss_doubles){p->percentile_list, PERCENTILES};
  p->options.tolerances = (segloss_doubles){p->tolerance_list, TOLERANCES};
  CHECK(segloss_label_pair_init(&p->pair, sizeof p->pair) == SEGLOSS_OK);
  p->pair.axes = 2;
  p->pair.extent[0] = ROWS;
  p->pair.extent[1] = COLUMNS;
  p->pair.spacing[0] = 2.0;
  p->pair.spacing[1] = 0.5;
  p->pair.has_ignore_label = 1;
  p->pair.ignore_label = 7;
  p->pair.classes = CLASSES;
  p->pair.prediction = (segloss_array){p->prediction, PLACES, SEGLOSS_U8};
  p->pair.reference = (segloss_array){p->reference, PLACES, SEGLOSS_I16};
  p->results = p->out.results;
  p->percentiles = p->out.percentiles;
  p->shares = p->out.shares;
  p->results_length = CLASSES;
  p->percentiles_length = CLASSES * PERCENTILES;
  p->shares_length = CLASSES * TOLERANCES;
  p->options_argument = &p->options;
  p->pair_argument = &p->pair;
  p->bytes_argument = &p->out.bytes;
  provide_surface_scratch(p);
  memset(&p->out, SENTINEL, sizeof p->out);
}

static inline void check_surfaces(int line, surface_problem *p, int calls, const refusal *want) {
  for (int which = SURFACE_SIZE; which <= SURFACES; which *= 2) {
    if (!(calls & which)) continue;
    const char *name = which == SURFACES ? "surface_metrics" : "surface_scratch_size";
    segloss_detail detail;
    memset(&detail, SENTINEL, sizeof detail);
    const segloss_status status = call_surface(p, which, &detail);
    check_refusal(__FILE__, line, name, status, &detail, want);
    CHECK(call_surface(p, which, NULL) == status);
    if (!all_sentinel(&p->out, sizeof p->out)) {
      ++failures;
      fprintf(stderr, "%s:%d: %s wrote\n", __FILE__, line, name);
      memset(&p->out, SENTINEL, sizeof p->out);
    }
  }
}

/* The calls refuse after the change `...`; REFUSED_SURFACE_AT checks the whole detail. */
#define REFUSED_SURFACE(calls, status, argument, ...)                 \
  do {                                                                \
    surface_problem s, *const p = &s;                                 \
    begin_surfaces(p);                                                \
    segloss_scratch own = p->scratch;                           \
    __VA_ARGS__;                                                      \
    const refusal want = {status, argument, 0, 0, 0, 0};              \
    check_surfaces(__LINE__, p, calls, &want);                        \
    free(own.data);                                                   \
  } while (0)

#define REFUSED_SURFACE_AT(calls, status, argument, position, value, expected, ...)  \
  do {                                                                               \
    surface_problem s, *const p = &s;                                                \
    begin_surfaces(p);                                                               \
    segloss_scratch own = p->scratch;                                          \
    __VA_ARGS__;                                                                     \
    const refusal want = {status, argument, 1, position, value, expected};           \
    check_surfaces(__LINE__, p, calls, &want);                                       \
    free(own.data);                                                                  \
  } while (0)

#endif
