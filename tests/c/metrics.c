/* Metrics: values against hand counts; every refusal names its argument and writes nothing. */
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

static segloss_status call_metric(metric_problem *p, int which, segloss_detail *detail) {
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

static const char *metric_call_name(int which) {
  static const char *const names[] = {"count_overlap",   "overlap_score",  "count_tree_overlap",
                                      "collapse_labels", "confidence_map", "label_confident",
                                      "label_tree_confident"};
  return names[which];
}

/* Prediction 0 1 1 2 2 0 7 0, reference 0 1 2 2 2 7 1 0; 7 is ignored. */
static void begin_metrics(metric_problem *p) {
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

static void check_metrics(int line, metric_problem *p, int calls, const refusal *want) {
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

static void pointers(void) {
  const segloss_status null = SEGLOSS_STATUS_NULL_POINTER, misaligned = SEGLOSS_STATUS_MISALIGNED;
  const uint32_t prediction = SEGLOSS_ARGUMENT_PREDICTION, reference = SEGLOSS_ARGUMENT_REFERENCE;
  const uint32_t counts = SEGLOSS_ARGUMENT_COUNTS, result = SEGLOSS_ARGUMENT_RESULT;
  const uint32_t scores = SEGLOSS_ARGUMENT_SCORES, target = SEGLOSS_ARGUMENT_TARGET;
  REFUSED_METRIC(ON_PAIR, null, prediction, p->pair_argument = NULL);
  REFUSED_METRIC(ON_PAIR, null, prediction, p->pair.prediction.data = NULL);
  REFUSED_METRIC(ON_PAIR, null, reference, p->pair.reference.data = NULL);
  REFUSED_METRIC(1 << CLASS_COUNTS, null, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS,
                 p->weights_argument = NULL);
  REFUSED_METRIC(1 << CLASS_COUNTS, null, counts, p->classes_out = NULL);
  REFUSED_METRIC(1 << SCORE, null, counts, p->counts_argument = NULL);
  REFUSED_METRIC(1 << SCORE, null, result, p->score_out = NULL);
  REFUSED_METRIC(ON_TREE, null, SEGLOSS_ARGUMENT_TREE_NODE, p->tree_argument = NULL);
  REFUSED_METRIC(ON_TREE, null, SEGLOSS_ARGUMENT_TREE_NODE, p->tree.parent = NULL);
  REFUSED_METRIC(1 << NODE_COUNTS, null, counts, p->nodes_out = NULL);
  REFUSED_METRIC(1 << NODE_COUNTS, null, result, p->distances_out = NULL);
  REFUSED_METRIC(1 << COLLAPSE, null, target, p->labels_argument = NULL);
  REFUSED_METRIC(1 << COLLAPSE, null, target, p->labels_array.data = NULL);
  REFUSED_METRIC(1 << COLLAPSE | 1 << CONFIDENT | 1 << NODE_CONFIDENT, null, result,
                 p->labels_out = NULL);
  REFUSED_METRIC(ON_SCORES, null, SEGLOSS_ARGUMENT_SHAPE, p->shape_argument = NULL);
  REFUSED_METRIC(ON_SCORES, null, scores, p->scores_argument = NULL);
  REFUSED_METRIC(ON_SCORES, null, scores, p->scores_array.data = NULL);
  REFUSED_METRIC(1 << MAP, null, SEGLOSS_ARGUMENT_CONFIDENCE, p->map_out = NULL);
  REFUSED_METRIC(ON_TREE, null, SEGLOSS_ARGUMENT_SCRATCH, p->scratch.data = NULL);
  REFUSED_METRIC_AT(ON_PAIR, misaligned, reference, 0, 0, 2,
                    p->pair.reference.data = (const char *)p->reference + 1);
  REFUSED_METRIC_AT(1 << CLASS_COUNTS, misaligned, counts, 0, 0, 8,
                    p->classes_out = (void *)((char *)p->out.classes + 4));
  REFUSED_METRIC_AT(1 << MAP, misaligned, SEGLOSS_ARGUMENT_CONFIDENCE, 0, 0, 4,
                    p->map_out = (void *)((char *)p->out.map + 2));
  CHECK(segloss_label_pair_init(NULL, sizeof(segloss_label_pair)) == null);
}

static void numbers(void) {
  const segloss_status unknown = SEGLOSS_STATUS_UNKNOWN_ENUMERATOR, option = SEGLOSS_STATUS_OPTION;
  const uint32_t confidence = SEGLOSS_ARGUMENT_CONFIDENCE;
  segloss_label_pair pair;
  CHECK(segloss_label_pair_init(&pair, sizeof pair - 8) == SEGLOSS_STATUS_STRUCT_SIZE);
  REFUSED_METRIC_AT(ON_PAIR, SEGLOSS_STATUS_STRUCT_SIZE, SEGLOSS_ARGUMENT_PREDICTION, 0,
                    sizeof pair - 1, sizeof pair, p->pair.size -= 1);
  REFUSED_METRIC_AT(ON_PAIR, unknown, SEGLOSS_ARGUMENT_PREDICTION, 0, SEGLOSS_F32, 0,
                    p->pair.prediction.type = SEGLOSS_F32);
  REFUSED_METRIC_AT(ON_PAIR, unknown, SEGLOSS_ARGUMENT_REFERENCE, 0, 0, 0,
                    p->pair.reference.type = 0);
  REFUSED_METRIC_AT(1 << COLLAPSE, unknown, SEGLOSS_ARGUMENT_TARGET, 0, 99, 0,
                    p->labels_array.type = 99);
  REFUSED_METRIC_AT(ON_SCORES, unknown, SEGLOSS_ARGUMENT_SCORES, 0, SEGLOSS_U8, 0,
                    p->scores_array.type = SEGLOSS_U8);
  REFUSED_METRIC_AT(ON_SCORES, unknown, SEGLOSS_ARGUMENT_SHAPE, 0, 2, 0, p->shape.layout = 2);
  for (uint32_t wrong = 0; wrong <= 12; wrong += 12) {
    REFUSED_METRIC_AT(1 << SCORE, unknown, SEGLOSS_ARGUMENT_COUNTS, 0, wrong, 0,
                      p->metric = wrong);
    REFUSED_METRIC_AT(BY_KIND, unknown, confidence, 0, wrong, 0, p->kind = wrong);
  }
  REFUSED_METRIC(ON_PAIR, SEGLOSS_STATUS_SPACING, SEGLOSS_ARGUMENT_SPACING,
                 p->pair.spacing[1] = 0.0);
  REFUSED_METRIC_AT(ON_PAIR, SEGLOSS_STATUS_SHAPE, SEGLOSS_ARGUMENT_SHAPE, 2, 4, 3,
                    p->pair.axes = 4);
  REFUSED_METRIC(ON_PAIR, SEGLOSS_STATUS_SHAPE, SEGLOSS_ARGUMENT_SHAPE, p->pair.extent[1] = 0);
  REFUSED_METRIC(1 << CLASS_COUNTS, SEGLOSS_STATUS_SHAPE, SEGLOSS_ARGUMENT_SHAPE,
                 p->pair.classes = 0);
  REFUSED_METRIC(ON_PAIR, SEGLOSS_STATUS_SHAPE_OVERFLOW, SEGLOSS_ARGUMENT_SHAPE,
                 p->pair.extent[0] = UINT64_MAX);
  const double bad[] = {0.0, -1.0, NAN, INFINITY};
  for (int i = 0; i < 4; ++i) {
    REFUSED_METRIC_AT(BY_KIND, option, confidence, 0, bad[i], 1, p->temperature = bad[i]);
  }
  REFUSED_METRIC(1 << CONFIDENT, option, confidence, p->threshold = NAN);
  REFUSED_METRIC(1 << NODE_CONFIDENT, option, confidence, p->tree_threshold = 1.5);
  REFUSED_METRIC_AT(1 << COLLAPSE, option, SEGLOSS_ARGUMENT_TARGET, 0, 1, 0, p->ignore_label = 1);
}

static void data(void) {
  const segloss_status length = SEGLOSS_STATUS_LENGTH, label = SEGLOSS_STATUS_LABEL;
  const uint32_t result = SEGLOSS_ARGUMENT_RESULT, counts = SEGLOSS_ARGUMENT_COUNTS;
  for (int wrong = -1; wrong <= 1; wrong += 2) {
    const uint64_t by = (uint64_t)wrong;
    REFUSED_METRIC_AT(ON_PAIR, length, SEGLOSS_ARGUMENT_PREDICTION, 0, PLACES + wrong, PLACES,
                      p->pair.prediction.length += by);
    REFUSED_METRIC_AT(ON_PAIR, length, SEGLOSS_ARGUMENT_REFERENCE, 0, PLACES + wrong, PLACES,
                      p->pair.reference.length += by);
    REFUSED_METRIC_AT(1 << CLASS_COUNTS, length, counts, 0, CLASSES + wrong, CLASSES,
                      p->lengths[CLASSES_LENGTH] += by);
    REFUSED_METRIC_AT(1 << CLASS_COUNTS, length, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS, 0,
                      PLACES + wrong, PLACES, p->lengths[WEIGHTS_LENGTH] += by);
    REFUSED_METRIC_AT(1 << NODE_COUNTS, length, counts, 0, NODES + wrong, NODES,
                      p->lengths[NODES_LENGTH] += by);
    REFUSED_METRIC_AT(1 << COLLAPSE, length, result, 0, PLACES + wrong, PLACES,
                      p->lengths[COLLAPSE_LENGTH] += by);
    REFUSED_METRIC_AT(1 << MAP, length, SEGLOSS_ARGUMENT_CONFIDENCE, 0, PLACES + wrong, PLACES,
                      p->lengths[MAP_LENGTH] += by);
    REFUSED_METRIC_AT(1 << CONFIDENT | 1 << NODE_CONFIDENT, length, result, 0, PLACES + wrong,
                      PLACES, p->lengths[LABELS_LENGTH] += by);
    REFUSED_METRIC_AT(ON_SCORES, length, SEGLOSS_ARGUMENT_SCORES, 0, PLACES * CLASSES + wrong,
                      PLACES * CLASSES, p->scores_array.length += by);
  }
  REFUSED_METRIC_AT(ON_PAIR, label, SEGLOSS_ARGUMENT_PREDICTION, 4, 3, CLASSES - 1,
                    p->prediction[4] = 3);
  REFUSED_METRIC_AT(ON_PAIR, label, SEGLOSS_ARGUMENT_REFERENCE, 7, -2, CLASSES - 1,
                    p->reference[7] = -2);
  REFUSED_METRIC_AT(1 << COLLAPSE, label, SEGLOSS_ARGUMENT_TARGET, 7, -2, CLASSES - 1,
                    p->reference[7] = -2);
  REFUSED_METRIC_AT(ON_SCORES, SEGLOSS_STATUS_NON_FINITE, SEGLOSS_ARGUMENT_SCORES, 5, NAN, 0,
                    p->scores[5] = NAN);
  REFUSED_METRIC_AT(1 << NODE_COUNTS, SEGLOSS_STATUS_TREE_CLASSES, SEGLOSS_ARGUMENT_TREE_CLASS, 0,
                    CLASSES, CLASSES + 1, p->pair.classes += 1);
  REFUSED_METRIC(ON_TREE, SEGLOSS_STATUS_TREE_LEAF_WITHOUT_CLASS, SEGLOSS_ARGUMENT_TREE_NODE,
                 p->tree.classes -= 1);
  REFUSED_METRIC(ON_TREE, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH,
                 p->scratch.bytes -= 1);
}

/* Outputs that lie in what a call reads, in scratch, or in one another. */
static void overlaps(void) {
  const segloss_status overlap = SEGLOSS_STATUS_OVERLAP;
  const uint32_t result = SEGLOSS_ARGUMENT_RESULT, counts = SEGLOSS_ARGUMENT_COUNTS;
  REFUSED_METRIC(1 << CLASS_COUNTS, overlap, counts, p->classes_out = (void *)&p->pair);
  REFUSED_METRIC(1 << CLASS_COUNTS, overlap, counts, p->pair.prediction.data = p->out.classes);
  REFUSED_METRIC(1 << CLASS_COUNTS, overlap, counts, p->pair.reference.data = p->out.classes);
  REFUSED_METRIC(1 << CLASS_COUNTS, overlap, counts, p->weights_argument = (void *)&p->out);
  REFUSED_METRIC(1 << NODE_COUNTS, overlap, counts, p->nodes_out = p->scratch.data);
  REFUSED_METRIC(1 << NODE_COUNTS, overlap, counts, p->distances_out = (void *)(p->out.nodes + 1));
  REFUSED_METRIC(1 << NODE_COUNTS, overlap, SEGLOSS_ARGUMENT_PREDICTION,
                 p->pair.prediction.data = p->scratch.data);
  REFUSED_METRIC(1 << COLLAPSE, overlap, result, p->labels_array.data = p->out.labels);
  REFUSED_METRIC(1 << COLLAPSE, overlap, SEGLOSS_ARGUMENT_TARGET,
                 p->labels_array.data = p->scratch.data);
  REFUSED_METRIC(1 << MAP, overlap, SEGLOSS_ARGUMENT_CONFIDENCE, p->map_out = p->scores + 3);
  REFUSED_METRIC(1 << MAP, overlap, SEGLOSS_ARGUMENT_CONFIDENCE, p->map_out = (void *)&p->shape);
  REFUSED_METRIC(1 << CONFIDENT | 1 << NODE_CONFIDENT, overlap, result,
                 p->labels_out = (void *)p->scores);
  REFUSED_METRIC(1 << NODE_CONFIDENT, overlap, SEGLOSS_ARGUMENT_SCORES,
                 p->scores_array.data = p->scratch.data);
  REFUSED_METRIC(1 << NODE_CONFIDENT, overlap, result, p->labels_out = p->scratch.data);
}

#define COUNTS_ARE(found, ...) \
  CHECK(memcmp(&(found), &(segloss_overlap_counts){__VA_ARGS__}, sizeof(found)) == 0)

static void counts(void) {
  metric_problem m, *const p = &m;
  begin_metrics(p);
  CHECK(call_metric(p, CLASS_COUNTS, NULL) == SEGLOSS_OK);
  COUNTS_ARE(p->out.classes[0], 2, 0, 0, 5);
  COUNTS_ARE(p->out.classes[1], 1, 1, 1, 4);
  COUNTS_ARE(p->out.classes[2], 2, 0, 1, 4);
  CHECK(all_sentinel(p->out.classes + CLASSES, sizeof *p->out.classes));
  p->weights[0] = 5;
  p->weights[2] = 0;
  CHECK(call_metric(p, CLASS_COUNTS, NULL) == SEGLOSS_OK);
  COUNTS_ARE(p->out.classes[0], 6, 0, 0, 4);
  COUNTS_ARE(p->out.classes[1], 1, 0, 1, 8);
  p->weights_argument = NULL;
  p->lengths[WEIGHTS_LENGTH] = 0;
  p->pair.has_ignore_label = 0;
  p->pair.classes = 8;
  p->lengths[CLASSES_LENGTH] = 8;
  segloss_overlap_counts all[8];
  p->classes_out = all;
  CHECK(call_metric(p, CLASS_COUNTS, NULL) == SEGLOSS_OK);
  COUNTS_ARE(all[7], 0, 1, 1, 6);
  COUNTS_ARE(all[5], 0, 0, 0, 8);
  free(p->scratch.data);
}

static void metric_scores(void) {
  metric_problem m, *const p = &m;
  begin_metrics(p);
  const double expected[] = {12.0 / 18, 0.5, 0.75, 0.6, 88.0 / 90, 30.0 / 48, 0.94, 16.0 / 18,
                             -0.2, 1040.0 / 1640, 520 / sqrt(8.0 * 10 * 90 * 92)};
  for (uint32_t metric = SEGLOSS_METRIC_DICE; metric <= SEGLOSS_METRIC_MATTHEWS; ++metric) {
    p->metric = metric;
    CHECK(call_metric(p, SCORE, NULL) == SEGLOSS_OK);
    CHECK(fabs(p->out.score - expected[metric - 1]) < 1e-15);
  }
  memset(&p->counts, 0, sizeof p->counts);
  CHECK(call_metric(p, SCORE, NULL) == SEGLOSS_OK && p->out.score == -7.0);
  free(p->scratch.data);
}

/* Node 1 is above classes 0 and 1 (nodes 2 and 3); edges 1, 2, 3 and 4 above nodes 1 to 4. */
static void tree_counts(void) {
  metric_problem m, *const p = &m;
  begin_metrics(p);
  CHECK(call_metric(p, NODE_COUNTS, NULL) == SEGLOSS_OK);
  COUNTS_ARE(p->out.nodes[0], 6, 0, 1, 0);
  COUNTS_ARE(p->out.nodes[1], 3, 1, 1, 2);
  COUNTS_ARE(p->out.nodes[3], 1, 1, 1, 4);
  CHECK(all_sentinel(p->out.nodes + NODES, sizeof *p->out.nodes));
  /* One 1 for 2, 3 + 1 + 4 apart; one of no class, 3 + 1 below the root. */
  CHECK(p->out.distances.counted_voxels == 7 && p->out.distances.total_distance == 12.0);
  CHECK(p->out.distances.total_ancestor_depth == 3 * 2 + 2 * 1);
  CHECK(call_metric(p, COLLAPSE, NULL) == SEGLOSS_OK);
  const int32_t collapsed[PLACES] = {1, 1, 4, 4, 4, 7, 1, 1};
  CHECK(memcmp(p->out.labels, collapsed, sizeof collapsed) == 0);
  CHECK(all_sentinel(p->out.labels + PLACES, sizeof *p->out.labels));
  free(p->scratch.data);
}

/* Voxel i has score i at class i % 3, and 0 elsewhere. */
static void confidence(void) {
  metric_problem m, *const p = &m;
  begin_metrics(p);
  const double t = p->temperature = 2.0;
  for (p->kind = 1; p->kind <= SEGLOSS_CONFIDENCE_NEGATIVE_ENTROPY; ++p->kind) {
    CHECK(call_metric(p, MAP, NULL) == SEGLOSS_OK);
    for (int i = 0; i < PLACES; ++i) {
      const double sum = exp(i / t) + 2, own = exp(i / t) / sum, other = 1 / sum;
      const double expected[] = {own, i, t * log(sum), own * log(own) + 2 * other * log(other)};
      CHECK(fabs(p->out.map[i] - expected[p->kind - 1]) < 1e-6);
    }
  }
  CHECK(all_sentinel(p->out.map + PLACES, sizeof *p->out.map));
  /* e^4 / (e^4 + 2) is 0.965, e^3 / (e^3 + 2) 0.909, e^2 / (e^2 + 2) 0.787. */
  p->kind = SEGLOSS_CONFIDENCE_MAXIMUM_PROBABILITY;
  p->temperature = 1.0;
  CHECK(call_metric(p, CONFIDENT, NULL) == SEGLOSS_OK);
  const int32_t labels[PLACES] = {-1, -1, -1, 0, 1, 2, 0, 1};
  CHECK(memcmp(p->out.labels, labels, sizeof labels) == 0);
  /* Voxel 1: class 1 and its sibling together, (e + 1) / (e + 2), are 0.788. */
  CHECK(call_metric(p, NODE_CONFIDENT, NULL) == SEGLOSS_OK);
  const int32_t nodes[PLACES] = {0, 0, 0, 2, 3, 4, 2, 3};
  CHECK(memcmp(p->out.labels, nodes, sizeof nodes) == 0);
  p->tree_threshold = 0.75;
  CHECK(call_metric(p, NODE_CONFIDENT, NULL) == SEGLOSS_OK);
  const int32_t backed_off[PLACES] = {0, 1, 4, 2, 3, 4, 2, 3};
  CHECK(memcmp(p->out.labels, backed_off, sizeof backed_off) == 0);
  CHECK(all_sentinel(p->out.labels + PLACES, sizeof *p->out.labels));
  free(p->scratch.data);
}

int main(void) {
  pointers();
  numbers();
  data();
  overlaps();
  counts();
  metric_scores();
  tree_counts();
  confidence();
  return finish_checks("metrics");
}
