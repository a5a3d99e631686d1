/* One small problem on which every call on metrics can be tried. */
#ifndef SEGLOSS_TEST_METRICS_H
#define SEGLOSS_TEST_METRICS_H

#include "support.h"

enum { AXIS_0 = 2, AXIS_1 = 4, PLACES = AXIS_0 * AXIS_1 };

/* All arguments of all calls. Scores are [voxel][class]. */
typedef struct metric_problem {
  segloss_label_pair pair;
  segloss_tree tree;
  segloss_shape shape;
  segloss_array scores_array;
  segloss_array labels_array;
  segloss_scratch scratch;
  uint32_t kind;
  uint32_t metric;
  double temperature;
  double threshold;
  double tree_threshold;
  int64_t ignore_label;
  uint64_t lengths[6];
  /* What the calls are given: the members, or NULL. */
  const segloss_label_pair *pair_argument;
  const segloss_tree *tree_argument;
  const segloss_shape *shape_argument;
  const segloss_array *scores_argument;
  const segloss_array *labels_argument;
  const segloss_overlap_counts *counts_argument;
  const uint8_t *weights_argument;
  segloss_overlap_counts *classes_out;
  segloss_overlap_counts *nodes_out;
  segloss_tree_distance_sums *distances_out;
  double *score_out;
  float *map_out;
  int32_t *labels_out;
  /* Data; gaps, because a length that is off by one must not meet the next buffer. */
  uint8_t prediction[PLACES];
  double gap_0;
  int16_t reference[PLACES];
  double gap_1;
  uint8_t weights[PLACES];
  double gap_2;
  float scores[PLACES * CLASSES];
  double gap_3;
  segloss_overlap_counts counts;
  /* Outputs. */
  struct {
    segloss_overlap_counts classes[CLASSES + 1];
    segloss_overlap_counts nodes[NODES + 1];
    segloss_tree_distance_sums distances;
    double score;
    float map[PLACES + 2];
    int32_t labels[PLACES + 2];
  } out;
} metric_problem;

enum { CLASS_COUNTS, SCORE, NODE_COUNTS, COLLAPSE, MAP, CONFIDENT, NODE_CONFIDENT, METRIC_CALLS };
enum { CLASSES_LENGTH, WEIGHTS_LENGTH, NODES_LENGTH, COLLAPSE_LENGTH, MAP_LENGTH, LABELS_LENGTH };
/* Sets of calls. */
enum {
  ON_PAIR = 1 << CLASS_COUNTS | 1 << NODE_COUNTS,
  ON_TREE = 1 << NODE_COUNTS | 1 << COLLAPSE | 1 << NODE_CONFIDENT,
  ON_SCORES = 1 << MAP | 1 << CONFIDENT | 1 << NODE_CONFIDENT,
  BY_KIND = 1 << MAP | 1 << CONFIDENT
};

static inline segloss_status call_metric(metric_problem *p, int which, segloss_detail *detail) {
  switch (which) {
    case CLASS_COUNTS:
      return segloss_count_overlap(p->pair_argument, p->weights_argument,
                                   p->lengths[WEIGHTS_LENGTH], p->classes_out,
                                   p->lengths[CLASSES_LENGTH], detail);
    case SCORE:
      return segloss_overlap_score(p->counts_argument, p->metric, 2.0, -7.0, p->score_out, detail);
    case NODE_COUNTS:
      return segloss_count_tree_overlap(p->pair_argument, p->tree_argument, p->scratch,
                                        p->nodes_out, p->lengths[NODES_LENGTH], p->distances_out,
                                        detail);
    case COLLAPSE:
      return segloss_collapse_labels(p->tree_argument, 1, p->labels_argument, 1, p->ignore_label,
                                     p->scratch, p->labels_out, p->lengths[COLLAPSE_LENGTH],
                                     detail);
    case MAP:
      return segloss_confidence_map(p->shape_argument, p->scores_argument, p->kind,
                                    p->temperature, p->map_out, p->lengths[MAP_LENGTH], detail);
    case CONFIDENT:
      return segloss_label_confident(p->shape_argument, p->scores_argument, p->kind,
                                     p->temperature, p->threshold, -1, p->labels_out,
                                     p->lengths[LABELS_LENGTH], detail);
    default:
      return segloss_label_tree_confident(p->shape_argument, p->scores_argument, p->tree_argument,
                                          p->tree_threshold, p->scratch, p->labels_out,
                                          p->lengths[LABELS_LENGTH], detail);
  }
}

static inline const char *metric_call_name(int which) {
  static const char *const names[] = {"count_overlap",   "overlap_score",  "count_tree_overlap",
                                      "collapse_labels", "confidence_map", "label_confident",
                                      "label_tree_confident"};
  return names[which];
}

/* Prediction 0 1 1 2 2 0 7 0, reference 0 1 2 2 2 7 1 0; 7 is ignored. */
static inline void begin_metrics(metric_problem *p) {
  static const uint8_t prediction[PLACES] = {0, 1, 1, 2, 2, 0, 7, 0};
  static const int16_t reference[PLACES] = {0, 1, 2, 2, 2, 7, 1, 0};
  memset(p, 0, sizeof *p);
  memcpy(p->prediction, prediction, sizeof prediction);
  memcpy(p->reference, reference, sizeof reference);
  memset(p->weights, 1, sizeof p->weights);
  for (int i = 0; i < PLACES; ++i) p->scores[i * CLASSES + i % CLASSES] = (float)i;
  CHECK(segloss_label_pair_init(&p->pair, sizeof p->pair) == SEGLOSS_OK);
  p->pair.axes = 2;
  p->pair.extent[0] = AXIS_0;
  p->pair.extent[1] = AXIS_1;
  p->pair.spacing[0] = 3.0;
  p->pair.spacing[1] = 0.5;
  p->pair.has_ignore_label = 1;
  p->pair.ignore_label = 7;
  p->pair.classes = CLASSES;
  p->pair.prediction = (segloss_array){p->prediction, PLACES, SEGLOSS_U8};
  p->pair.reference = (segloss_array){p->reference, PLACES, SEGLOSS_I16};
  p->tree = small_tree();
  p->shape = (segloss_shape){1, CLASSES, {PLACES, 0, 0}, 1, SEGLOSS_INTERLEAVED};
  p->scores_array = (segloss_array){p->scores, PLACES * CLASSES, SEGLOSS_F32};
  p->labels_array = p->pair.reference;
  p->counts = (segloss_overlap_counts){6, 2, 4, 88};
  p->kind = SEGLOSS_CONFIDENCE_MAXIMUM_PROBABILITY;
  p->metric = SEGLOSS_METRIC_DICE;
  p->temperature = 1.0;
  p->threshold = p->tree_threshold = 0.9;
  p->ignore_label = 7;
  const uint64_t lengths[] = {CLASSES, PLACES, NODES, PLACES, PLACES, PLACES};
  memcpy(p->lengths, lengths, sizeof lengths);
  p->pair_argument = &p->pair;
  p->tree_argument = &p->tree;
  p->shape_argument = &p->shape;
  p->scores_argument = &p->scores_array;
  p->labels_argument = &p->labels_array;
  p->counts_argument = &p->counts;
  p->weights_argument = p->weights;
  p->classes_out = p->out.classes;
  p->nodes_out = p->out.nodes;
  p->distances_out = &p->out.distances;
  p->score_out = &p->out.score;
  p->map_out = p->out.map;
  p->labels_out = p->out.labels;
  uint64_t bytes = 0;
  CHECK(segloss_tree_scratch_size(&p->tree, &bytes, NULL) == SEGLOSS_OK);
  p->scratch = (segloss_scratch){malloc(bytes), bytes};
  memset(&p->out, SENTINEL, sizeof p->out);
}

static inline void check_metrics(int line, metric_problem *p, int calls, const refusal *want) {
  for (int which = 0; which < METRIC_CALLS; ++which) {
    if (!(calls >> which & 1)) continue;
    segloss_detail detail;
    memset(&detail, SENTINEL, sizeof detail);
    const segloss_status status = call_metric(p, which, &detail);
    check_refusal(__FILE__, line, metric_call_name(which), status, &detail, want);
    CHECK(call_metric(p, which, NULL) == status);
    if (!all_sentinel(&p->out, sizeof p->out)) {
      ++failures;
      fprintf(stderr, "%s:%d: %s wrote\n", __FILE__, line, metric_call_name(which));
      memset(&p->out, SENTINEL, sizeof p->out);
    }
  }
}

/* The calls refuse after the change `...`. */
#define REFUSED_METRIC(calls, status, argument, ...)                  \
  do {                                                                \
    metric_problem m, *const p = &m;                                  \
    begin_metrics(p);                                                 \
    void *const memory = p->scratch.data;                             \
    __VA_ARGS__;                                                      \
    const refusal want = {status, argument, 0, 0, 0, 0};              \
    check_metrics(__LINE__, p, calls, &want);                         \
    free(memory);                                                     \
  } while (0)

#define REFUSED_METRIC_AT(calls, status, argument, position, value, expected, ...)  \
  do {                                                                              \
    metric_problem m, *const p = &m;                                                \
    begin_metrics(p);                                                               \
    void *const memory = p->scratch.data;                                           \
    __VA_ARGS__;                                                                    \
    const refusal want = {status, argument, 1, position, value, expected};          \
    check_metrics(__LINE__, p, calls, &want);                                       \
    free(memory);                                                                   \
  } while (0)

#endif
