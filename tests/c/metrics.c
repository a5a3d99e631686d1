/* Metrics against counts by hand and closed forms. */
#include "metrics.h"

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
  counts();
  metric_scores();
  tree_counts();
  confidence();
  return finish_checks("metrics");
}
