/* One small volume on which the calls on distances can be tried. */
#ifndef SEGLOSS_TEST_DISTANCES_H
#define SEGLOSS_TEST_DISTANCES_H

#include "support.h"

enum { ROWS = 3, COLUMNS = 5, AREA = ROWS * COLUMNS, FIELDS = CLASSES * AREA };

/* All arguments of all calls. */
typedef struct distance_problem {
  segloss_distance distance;
  segloss_mask mask;
  segloss_input input;
  double spacing[3];
  segloss_executor executor;
  segloss_array_mut field;
  float *fields;
  uint64_t fields_length;
  segloss_scratch scratch;
  segloss_scratch fields_scratch;
  /* What the calls are given: the members, or NULL. */
  const segloss_distance *distance_argument;
  const segloss_mask *mask_argument;
  const segloss_input *input_argument;
  const double *spacing_argument;
  const segloss_executor *executor_argument;
  uint64_t *bytes_argument;
  /* Data; a gap, because labels of a wider type must not meet the outputs. */
  int16_t labels[AREA];
  double gap[16];
  struct {
    float field[AREA + 3];
    float fields[FIELDS + 2];
    uint64_t bytes;
  } out;
} distance_problem;

/* The calls, as a set of bits. */
enum { TRANSFORM_SIZE = 1, TRANSFORM = 2, TARGET_SIZE = 4, TARGET_FIELDS = 8, LAST_CALL = 8 };
enum {
  ON_MASK = TRANSFORM_SIZE | TRANSFORM,
  ON_TARGET = TARGET_SIZE | TARGET_FIELDS,
  WRITING = TRANSFORM | TARGET_FIELDS
};

static inline segloss_status call_distance(distance_problem *p, int which,
                                           segloss_detail *detail) {
  switch (which) {
    case TRANSFORM_SIZE:
      return segloss_distance_scratch_size(p->distance_argument, 1, p->bytes_argument, detail);
    case TRANSFORM:
      return segloss_distance_transform(p->distance_argument, p->mask_argument, p->field,
                                        p->scratch, p->executor_argument, detail);
    case TARGET_SIZE:
      return segloss_target_fields_scratch_size(p->input_argument, p->spacing_argument, 1,
                                                p->bytes_argument, detail);
    default:
      return segloss_target_fields(p->input_argument, p->spacing_argument, p->fields,
                                   p->fields_length, p->fields_scratch, p->executor_argument,
                                   detail);
  }
}

static inline const char *distance_call_name(int which) {
  switch (which) {
    case TRANSFORM_SIZE: return "distance_scratch_size";
    case TRANSFORM: return "distance_transform";
    case TARGET_SIZE: return "target_fields_scratch_size";
    default: return "target_fields";
  }
}

/* Scratch as large as the calls ask for, no byte more. */
static inline void provide_scratch(distance_problem *p) {
  free(p->scratch.data);
  free(p->fields_scratch.data);
  CHECK(segloss_distance_scratch_size(&p->distance, 1, &p->scratch.bytes, NULL) == SEGLOSS_OK);
  CHECK(segloss_target_fields_scratch_size(&p->input, p->spacing, 1, &p->fields_scratch.bytes,
                                           NULL) == SEGLOSS_OK);
  p->scratch.data = malloc(p->scratch.bytes);
  p->fields_scratch.data = malloc(p->fields_scratch.bytes);
}

/* The signed field of label 1 of 3 x 5 voxels, and of all classes; one voxel is ignored. */
static inline void begin_distances(distance_problem *p) {
  static const int16_t labels[AREA] = {0, 1, 1, 0, 0, 0, 1, 1, 2, 2, -1, 0, 1, 2, 2};
  memset(p, 0, sizeof *p);
  memcpy(p->labels, labels, sizeof labels);
  CHECK(segloss_distance_init(&p->distance, sizeof p->distance) == SEGLOSS_OK);
  p->distance.axes = 2;
  p->distance.extent[0] = ROWS;
  p->distance.extent[1] = COLUMNS;
  p->distance.spacing[0] = p->spacing[0] = 2.0;
  p->distance.spacing[1] = p->spacing[1] = 0.5;
  p->mask.kind = SEGLOSS_MASK_LABEL;
  p->mask.values = (segloss_array){p->labels, AREA, SEGLOSS_I16};
  p->mask.label = 1;
  CHECK(segloss_input_init(&p->input, sizeof p->input) == SEGLOSS_OK);
  p->input.shape.classes = CLASSES;
  p->input.shape.axes = 2;
  p->input.shape.extent[0] = ROWS;
  p->input.shape.extent[1] = COLUMNS;
  p->input.target = p->mask.values;
  p->input.has_ignore_label = 1;
  p->input.ignore_label = -1;
  p->field = (segloss_array_mut){p->out.field, AREA, SEGLOSS_F32};
  p->fields = p->out.fields;
  p->fields_length = FIELDS;
  p->distance_argument = &p->distance;
  p->mask_argument = &p->mask;
  p->input_argument = &p->input;
  p->spacing_argument = p->spacing;
  p->bytes_argument = &p->out.bytes;
  provide_scratch(p);
  memset(&p->out, SENTINEL, sizeof p->out);
}

static inline void end_distances(distance_problem *p) {
  free(p->scratch.data);
  free(p->fields_scratch.data);
}

static inline void check_distances(int line, distance_problem *p, int calls,
                                   const refusal *want) {
  for (int which = 1; which <= LAST_CALL; which *= 2) {
    if (!(calls & which)) continue;
    segloss_detail detail;
    memset(&detail, SENTINEL, sizeof detail);
    const segloss_status status = call_distance(p, which, &detail);
    check_refusal(__FILE__, line, distance_call_name(which), status, &detail, want);
    CHECK(call_distance(p, which, NULL) == status);
    if (!all_sentinel(&p->out, sizeof p->out)) {
      ++failures;
      fprintf(stderr, "%s:%d: %s wrote\n", __FILE__, line, distance_call_name(which));
      memset(&p->out, SENTINEL, sizeof p->out);
    }
  }
}

/* The calls refuse after the change `...`; REFUSED_DISTANCE_AT checks the whole detail. */
#define REFUSED_DISTANCE(calls, status, argument, ...)                      \
  do {                                                                      \
    distance_problem d, *const p = &d;                                      \
    begin_distances(p);                                                     \
    const segloss_scratch own = p->scratch, fields_own = p->fields_scratch; \
    __VA_ARGS__;                                                            \
    const refusal want = {status, argument, 0, 0, 0, 0};                    \
    check_distances(__LINE__, p, calls, &want);                             \
    p->scratch = own;                                                       \
    p->fields_scratch = fields_own;                                         \
    end_distances(p);                                                       \
  } while (0)

#define REFUSED_DISTANCE_AT(calls, status, argument, position, value, expected, ...)  \
  do {                                                                                \
    distance_problem d, *const p = &d;                                                \
    begin_distances(p);                                                               \
    const segloss_scratch own = p->scratch, fields_own = p->fields_scratch;           \
    __VA_ARGS__;                                                                      \
    const refusal want = {status, argument, 1, position, value, expected};            \
    check_distances(__LINE__, p, calls, &want);                                       \
    p->scratch = own;                                                                 \
    p->fields_scratch = fields_own;                                                   \
    end_distances(p);                                                                 \
  } while (0)

#endif
