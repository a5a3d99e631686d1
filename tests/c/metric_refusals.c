/* Every refusal of a call on metrics names its argument and writes nothing. */
#include "metrics.h"

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

int main(void) {
  pointers();
  numbers();
  data();
  overlaps();
  return finish_checks("metric_refusals");
}
