/* Refusals that depend on the data: scores that are not finite, labels out of range, targets
 * outside [0, 1], negative voxel weights. Position and value come back, nothing is written. */
#include "support.h"

static size_t element_bytes(uint32_t type) {
  return type == SEGLOSS_F64 ? 8 : type == SEGLOSS_F32 ? 4 : 2;
}

/* Writes +inf, -inf or NaN. */
static void put_special(void *scores, uint32_t type, size_t position, int special) {
  static const double wide[] = {INFINITY, -INFINITY, NAN};
  static const float single[] = {INFINITY, -INFINITY, NAN};
  static const uint16_t half[] = {0x7c00, 0xfc00, 0x7e00}, brain[] = {0x7f80, 0xff80, 0x7fc0};
  char *to = (char *)scores + position * element_bytes(type);
  if (type == SEGLOSS_F64) memcpy(to, &wide[special], 8);
  else if (type == SEGLOSS_F32) memcpy(to, &single[special], 4);
  else memcpy(to, type == SEGLOSS_F16 ? &half[special] : &brain[special], 2);
}

static void not_finite(uint32_t type, uint32_t layout, int in_place) {
  static const double specials[] = {INFINITY, -INFINITY, NAN};
  for (size_t position = 0; position < SCORES; ++position) {
    for (int special = 0; special < 3; ++special) {
      problem p;
      begin(&p);
      double scores[SCORES] = {0}, gradient[SCORES], before[SCORES];
      put_special(scores, type, position, special);
      memcpy(before, scores, sizeof scores);
      memset(gradient, SENTINEL, sizeof gradient);
      p.input.shape.layout = layout;
      p.input.scores = (segloss_array){scores, SCORES, type};
      p.gradient.values = (segloss_array_mut){in_place ? scores : gradient, SCORES, type};
      provide(&p);
      check_refused(__FILE__, __LINE__, &p, EVALUATE | (in_place ? 0 : ACCUMULATE),
                    (refusal){SEGLOSS_STATUS_NON_FINITE, SEGLOSS_ARGUMENT_SCORES, 1, position,
                              specials[special], 0});
      CHECK(all_sentinel(gradient, sizeof gradient));
      CHECK(memcmp(scores, before, sizeof scores) == 0);
      end(&p);
    }
  }
}

static void all_scores(void) {
  const uint32_t types[] = {SEGLOSS_F32, SEGLOSS_F64, SEGLOSS_F16, SEGLOSS_BF16};
  for (int i = 0; i < 4; ++i) {
    for (uint32_t layout = SEGLOSS_PLANAR; layout <= SEGLOSS_INTERLEAVED; ++layout) {
      not_finite(types[i], layout, 0);
      not_finite(types[i], layout, 1);
    }
  }
}

/* What does not count may be anything. */
static void uncounted(void) {
  ACCEPTED(EVALUATE | ACCUMULATE, p.scores[3] = NAN; p.labels[3] = 200;
           p.input.has_ignore_label = 1; p.input.ignore_label = 200);
  ACCEPTED(EVALUATE | ACCUMULATE, p.scores[3] = NAN; p.labels[3] = 200; p.weights[3] = 0;
           p.input.voxel_weights = (segloss_array){p.weights, LABELS, SEGLOSS_F32});
  /* All voxels ignored, and an ignore label that is also a class. */
  ACCEPTED(EVALUATE | ACCUMULATE, memset(p.labels, 255, sizeof p.labels);
           p.input.has_ignore_label = 1; p.input.ignore_label = 255);
  ACCEPTED(EVALUATE | ACCUMULATE, p.input.has_ignore_label = 1; p.input.ignore_label = 1);
}

static void labels(void) {
  const segloss_status label = SEGLOSS_STATUS_LABEL;
  const uint32_t target = SEGLOSS_ARGUMENT_TARGET;
  const int calls = EVALUATE | ACCUMULATE;
  for (int i = 0; i < LABELS; ++i) {
    REFUSED_AT(calls, label, target, (uint64_t)i, CLASSES, CLASSES - 1, p.labels[i] = CLASSES);
  }
  /* The ignore label of another call is an error in this one. */
  REFUSED_AT(calls, label, target, 4, 255, CLASSES - 1, p.labels[4] = 255);
  REFUSED_AT(calls, label, target, 4, 255, CLASSES - 1, p.labels[4] = 255;
             p.input.has_ignore_label = 1; p.input.ignore_label = -1);
  static uint16_t u16[LABELS];
  static int16_t i16[LABELS];
  static int32_t i32[LABELS];
  static int64_t i64[LABELS];
  u16[9] = UINT16_MAX;
  i16[9] = -1;
  i32[9] = INT32_MIN;
  i64[9] = INT64_MIN;
  REFUSED_AT(calls, label, target, 9, UINT16_MAX, CLASSES - 1,
             p.input.target = (segloss_array){u16, LABELS, SEGLOSS_U16});
  REFUSED_AT(calls, label, target, 9, -1, CLASSES - 1,
             p.input.target = (segloss_array){i16, LABELS, SEGLOSS_I16});
  REFUSED_AT(calls, label, target, 9, INT32_MIN, CLASSES - 1,
             p.input.target = (segloss_array){i32, LABELS, SEGLOSS_I32});
  REFUSED_AT(calls, label, target, 9, (double)INT64_MIN, CLASSES - 1,
             p.input.target = (segloss_array){i64, LABELS, SEGLOSS_I64});
  /* A label that is a class again in 32 bits. */
  i64[9] = ((int64_t)1 << 32) + 1;
  REFUSED_AT(calls, label, target, 9, 4294967297.0, CLASSES - 1,
             p.input.target = (segloss_array){i64, LABELS, SEGLOSS_I64});
}

/* A loss on the nodes of a tree. */
static void take_nodes(problem *p) {
  static const double weights[NODES] = {0, 1, 1, 1, 1};
  set_kind(p, SEGLOSS_TERM_TREE_CROSS_ENTROPY);
  p->loss.tree = small_tree();
  p->terms[0].node_weights = (segloss_doubles){weights, NODES};
  p->input.target_kind = SEGLOSS_TARGET_NODES;
  provide(p);
}

static void nodes(void) {
  const int calls = EVALUATE | ACCUMULATE;
  ACCEPTED(ALL, take_nodes(&p); p.labels[6] = NODES - 1);
  REFUSED_AT(calls, SEGLOSS_STATUS_LABEL, SEGLOSS_ARGUMENT_TARGET, 6, NODES, NODES - 1,
             take_nodes(&p); p.labels[6] = NODES);
}

static void take_dense(problem *p, const void *values, uint32_t type) {
  p->input.target_kind = SEGLOSS_TARGET_DENSE;
  p->input.target = (segloss_array){values, SCORES, type};
  provide(p);
}

static void dense_targets(void) {
  const segloss_status range = SEGLOSS_STATUS_TARGET_RANGE;
  const uint32_t target = SEGLOSS_ARGUMENT_TARGET;
  const int calls = EVALUATE | ACCUMULATE;
  const double bad[] = {-0.25, 1.5, NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 5; ++i) {
    float single[SCORES] = {0};
    double wide[SCORES] = {0};
    single[17] = (float)bad[i];
    wide[17] = bad[i];
    REFUSED_AT(calls, range, target, 17, bad[i], 0, take_dense(&p, single, SEGLOSS_F32));
    REFUSED_AT(calls, range, target, 17, bad[i], 0, take_dense(&p, wide, SEGLOSS_F64));
  }
  uint8_t binary[SCORES] = {0};
  ACCEPTED(ALL, binary[17] = 1; take_dense(&p, binary, SEGLOSS_U8));
  REFUSED_AT(calls, range, target, 17, 2, 0, binary[17] = 2; take_dense(&p, binary, SEGLOSS_U8));
}

static void voxel_weights(void) {
  const segloss_status weight = SEGLOSS_STATUS_VOXEL_WEIGHT;
  const double bad[] = {-1.0, NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 4; ++i) {
    for (int at = 0; at < LABELS; ++at) {
      REFUSED_AT(EVALUATE | ACCUMULATE, weight, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS, (uint64_t)at,
                 bad[i], 0, p.weights[at] = (float)bad[i];
                 p.input.voxel_weights = (segloss_array){p.weights, LABELS, SEGLOSS_F32});
    }
  }
}

static void distance_matrices(void) {
  const segloss_status matrix = SEGLOSS_STATUS_DISTANCE_MATRIX;
  const uint32_t argument = SEGLOSS_ARGUMENT_DISTANCE_MATRIX;
  const double good[CLASSES * CLASSES] = {0, 1, 2, 1, 0, 3, 2, 3, 0};
  const struct { int at; double value; int reported; } bad[] = {
      {4, 1.0, 4}, {1, -1.0, 1}, {5, NAN, 5}, {5, INFINITY, 5}, {6, 2.5, 2},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    double values[CLASSES * CLASSES];
    memcpy(values, good, sizeof values);
    values[bad[i].at] = bad[i].value;
    for (uint32_t kind = SEGLOSS_TERM_TREE_WASSERSTEIN; kind <= SEGLOSS_TERM_WASSERSTEIN_DICE;
         ++kind) {
      REFUSED_AT(LOSS, matrix, argument, (uint64_t)bad[i].reported, values[bad[i].reported], 0,
                 set_kind(&p, kind); p.terms[0].ground = SEGLOSS_GROUND_MATRIX;
                 p.terms[0].distance_matrix = (segloss_doubles){values, CLASSES * CLASSES});
    }
  }
}

int main(void) {
  all_scores();
  uncounted();
  labels();
  nodes();
  dense_targets();
  voxel_weights();
  distance_matrices();
  return finish_checks("data");
}
