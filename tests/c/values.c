/* Values and gradients against closed forms; sharded calls, accumulation, upstream factor and
 * layouts against the plain evaluation. */
#include "support.h"

static int close_to(double value, double expected, double tolerance) {
  return fabs(value - expected) <= tolerance * (1.0 + fabs(expected));
}

#define CLOSE(value, expected)                                                          \
  do {                                                                                  \
    if (!close_to(value, expected, 1e-6)) {                                             \
      ++failures;                                                                       \
      fprintf(stderr, "%s:%d: %s = %.9g, expected %.9g\n", __FILE__, __LINE__, #value,  \
              (double)(value), (double)(expected));                                     \
    }                                                                                   \
  } while (0)

/* One term, all scores 0; labels are 0, 1, 2, 0, 1, 2, 0, 1, 2, 0 in two samples of five. */
static void begin_uniform(problem *p, uint32_t kind) {
  begin(p);
  memset(p->scores, 0, sizeof p->scores);
  set_kind(p, kind);
  p->loss.tree = small_tree();
}

static double evaluate(problem *p) {
  provide(p);
  segloss_detail detail = {0};
  const segloss_status status = call(p, EVALUATE, &detail);
  if (status != SEGLOSS_OK) fprintf(stderr, "%s\n", segloss_status_message(status));
  CHECK(status == SEGLOSS_OK);
  CHECK(p->result.term_count == p->loss.term_count);
  return p->result.total;
}

/* Value of a term on uniform scores, after the change `...` to `term`. */
#define UNIFORM(kind, expected, ...)      \
  do {                                    \
    problem p;                            \
    begin_uniform(&p, kind);              \
    segloss_term *const term = p.terms;   \
    (void)term;                           \
    __VA_ARGS__;                          \
    CLOSE(evaluate(&p), expected);        \
    end(&p);                              \
  } while (0)

static const double third = 1.0 / CLASSES;

/* 1 - (2 T + s) / (P + G + s) of a class with `count` of a sample's voxels, p = 1/3 everywhere. */
static double uniform_dice(double count) {
  const double smooth = 1e-5;
  return 1.0 - (2.0 * count * third + smooth) / (VOXELS * third + count + smooth);
}

static void uniform_scores(void) {
  static const double weights[CLASSES] = {1, 2, 3}, node_weights[NODES] = {0, 0, 1, 1, 1};
  static const double matrix[CLASSES * CLASSES] = {0, 1, 1, 1, 0, 1, 1, 1, 0};
  const double ln_3 = log(CLASSES), ln_2 = log(2);
  UNIFORM(SEGLOSS_TERM_CROSS_ENTROPY, ln_3, );
  UNIFORM(SEGLOSS_TERM_CROSS_ENTROPY, ln_3, term->label_smoothing = 0.3);
  UNIFORM(SEGLOSS_TERM_CROSS_ENTROPY, ln_3,
          term->class_weights = (segloss_doubles){weights, CLASSES});
  UNIFORM(SEGLOSS_TERM_CROSS_ENTROPY, ln_3,
          p.input.voxel_weights = (segloss_array){p.weights, LABELS, SEGLOSS_F32});
  UNIFORM(SEGLOSS_TERM_CROSS_ENTROPY, 2.5 * ln_3, term->weight = 2.5);
  UNIFORM(SEGLOSS_TERM_BINARY_CROSS_ENTROPY, ln_2, p.loss.activation = SEGLOSS_SIGMOID);
  UNIFORM(SEGLOSS_TERM_TOP_K_CROSS_ENTROPY, ln_3, );
  UNIFORM(SEGLOSS_TERM_FOCAL, ln_3, term->gamma = 0; term->mean = SEGLOSS_MEAN_OVER_VOXELS);
  UNIFORM(SEGLOSS_TERM_FOCAL, (1 - third) * (1 - third) * ln_3,
          term->mean = SEGLOSS_MEAN_OVER_VOXELS);
  UNIFORM(SEGLOSS_TERM_TREE_CROSS_ENTROPY, ln_3,
          term->node_weights = (segloss_doubles){node_weights, NODES});
  /* All classes below one node below the root. */
  static const int32_t parent[NODES] = {-1, 0, 1, 1, 1}, leaves[CLASSES] = {2, 3, 4};
  const segloss_tree unbranched = {parent, NULL, NODES, leaves, CLASSES};
  static const double with_the_node[NODES] = {0, 7, 1, 1, 1};
  UNIFORM(SEGLOSS_TERM_TREE_CROSS_ENTROPY, ln_3, p.loss.tree = unbranched;
          term->node_weights = (segloss_doubles){with_the_node, NODES});
  UNIFORM(SEGLOSS_TERM_TREE_WASSERSTEIN, 2 * (1 - third), p.loss.tree = unbranched);
  /* Distances 5, 7 and 8; four labels of class 0, three of class 1, three of class 2. */
  UNIFORM(SEGLOSS_TERM_TREE_WASSERSTEIN, third * (4 * 12 + 3 * 13 + 3 * 15) / 10.0, );
  UNIFORM(SEGLOSS_TERM_TREE_WASSERSTEIN, third * (4 * 12 + 3 * 13 + 3 * 15) / 10.0 / 8.0,
          term->scale = SEGLOSS_SCALE_UNIT_MAXIMUM);
  UNIFORM(SEGLOSS_TERM_TREE_WASSERSTEIN, 1 - third, term->ground = SEGLOSS_GROUND_MATRIX;
          term->distance_matrix = (segloss_doubles){matrix, CLASSES * CLASSES});
  /* Samples have 2, 2, 1 and 2, 1, 2 labels of the classes. */
  const double dice = (4 * uniform_dice(2) + 2 * uniform_dice(1)) / 6.0;
  UNIFORM(SEGLOSS_TERM_DICE, dice, );
  UNIFORM(SEGLOSS_TERM_TVERSKY, dice, term->smooth_numerator = term->smooth_denominator = 5e-6);
}

static void uniform_gradient(void) {
  problem p;
  begin_uniform(&p, SEGLOSS_TERM_CROSS_ENTROPY);
  evaluate(&p);
  for (int sample = 0; sample < BATCH; ++sample) {
    for (int class = 0; class < CLASSES; ++class) {
      for (int voxel = 0; voxel < VOXELS; ++voxel) {
        const int hit = p.labels[sample * VOXELS + voxel] == class;
        CLOSE(p.gradient_values[(sample * CLASSES + class) * VOXELS + voxel],
              (third - hit) / LABELS);
      }
    }
  }
  end(&p);
}

static void perfect_prediction(void) {
  const uint32_t kinds[] = {SEGLOSS_TERM_DICE,          SEGLOSS_TERM_TVERSKY,
                            SEGLOSS_TERM_GENERALISED_DICE, SEGLOSS_TERM_CROSS_ENTROPY,
                            SEGLOSS_TERM_FOCAL,         SEGLOSS_TERM_TREE_WASSERSTEIN,
                            SEGLOSS_TERM_WASSERSTEIN_DICE};
  for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; ++kind) {
    problem p;
    begin_uniform(&p, kinds[kind]);
    for (int i = 0; i < SCORES; ++i) {
      const int voxel = i % VOXELS, class = i / VOXELS % CLASSES, sample = i / VOXELS / CLASSES;
      p.scores[i] = p.labels[sample * VOXELS + voxel] == class ? 40.0f : -40.0f;
    }
    const double total = evaluate(&p);
    CHECK(fabs(total) < 1e-6);
    for (int i = 0; i < SCORES; ++i) CHECK(fabsf(p.gradient_values[i]) < 1e-6f);
    end(&p);
  }
}

static void result_fields(void) {
  problem p;
  begin(&p);
  memset(p.scores, 0, sizeof p.scores);
  p.labels[2] = 255;
  p.input.has_ignore_label = 1;
  p.input.ignore_label = 255;
  p.input.voxel_weights = (segloss_array){p.weights, LABELS, SEGLOSS_F32};
  p.terms[0].weight = 0.25;
  evaluate(&p);
  CHECK(p.result.counted_voxels == LABELS - 1);
  CHECK(p.result.weight == 15 - p.weights[2]);
  CLOSE(p.result.total, 0.25 * p.result.terms[0] + p.result.terms[1]);
  CHECK(p.result.class_sums_length == BATCH * CLASSES);
  /* The second sample: labels 2, 0, 1, 2, 0 with weights 2, 1, 2, 1, 2. */
  const segloss_class_sums *const sums = p.result.class_sums + CLASSES;
  const double reference[CLASSES] = {3, 2, 3};
  for (int class = 0; class < CLASSES; ++class) {
    CHECK(sums[class].reference == reference[class]);
    CLOSE(sums[class].prediction, 8 * third);
    CLOSE(sums[class].overlap, reference[class] * third);
  }
  for (int class = 0; class < CLASSES; ++class) {
    CHECK(p.gradient_values[class * VOXELS + 2] == 0.0f);
  }
  end(&p);
}

static void nothing_counts(void) {
  problem p;
  begin(&p);
  memset(p.labels, 255, sizeof p.labels);
  p.input.has_ignore_label = 1;
  p.input.ignore_label = 255;
  const double total = evaluate(&p);
  CHECK(isfinite(total) && p.result.counted_voxels == 0);
  for (int i = 0; i < SCORES; ++i) CHECK(p.gradient_values[i] == 0.0f);
  end(&p);
}

static void upstream_and_accumulation(void) {
  problem p;
  begin(&p);
  float plain[SCORES];
  evaluate(&p);
  memcpy(plain, p.gradient_values, sizeof plain);
  p.gradient.upstream = 1024;
  evaluate(&p);
  for (int i = 0; i < SCORES; ++i) CLOSE(p.gradient_values[i], 1024 * plain[i]);
  p.gradient.upstream = 0;
  evaluate(&p);
  for (int i = 0; i < SCORES; ++i) CHECK(p.gradient_values[i] == 0.0f);

  p.gradient.upstream = 1;
  p.gradient.mode = SEGLOSS_GRADIENT_ACCUMULATE;
  provide(&p);
  memset(p.gradient_values, 0, sizeof p.gradient_values);
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  CHECK(memcmp(p.gradient_values, plain, sizeof plain) == 0);
  for (int i = 0; i < SCORES; ++i) p.gradient_values[i] = 3.0f;
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  for (int i = 0; i < SCORES; ++i) CLOSE(p.gradient_values[i], 3.0f + 2.0f * plain[i]);
  end(&p);
}

/* The same bits for [class][voxel] and [voxel][class]. */
static void layouts(void) {
  problem planar, interleaved;
  begin(&planar);
  begin(&interleaved);
  interleaved.input.shape.layout = SEGLOSS_INTERLEAVED;
  for (int sample = 0; sample < BATCH; ++sample) {
    for (int class = 0; class < CLASSES; ++class) {
      for (int voxel = 0; voxel < VOXELS; ++voxel) {
        interleaved.scores[(sample * VOXELS + voxel) * CLASSES + class] =
            planar.scores[(sample * CLASSES + class) * VOXELS + voxel];
      }
    }
  }
  CHECK(evaluate(&planar) == evaluate(&interleaved));
  for (int sample = 0; sample < BATCH; ++sample) {
    for (int class = 0; class < CLASSES; ++class) {
      for (int voxel = 0; voxel < VOXELS; ++voxel) {
        CHECK(interleaved.gradient_values[(sample * VOXELS + voxel) * CLASSES + class] ==
              planar.gradient_values[(sample * CLASSES + class) * VOXELS + voxel]);
      }
    }
  }
  end(&planar);
  end(&interleaved);
}

enum { LONG_VOXELS = 17000 };

/* Each part adds to the same sums; parts end at block borders, or each is a sample. */
static void sharded_equals_evaluate(int by_sample) {
  problem p;
  begin(&p);
  const uint64_t labels = BATCH * LONG_VOXELS, scores = labels * CLASSES;
  p.input.shape.extent[0] = LONG_VOXELS;
  float *const values = malloc(scores * sizeof *values);
  float *const whole = malloc(scores * sizeof *whole);
  float *const parts = malloc(scores * sizeof *parts);
  uint8_t *const targets = malloc(labels);
  uint64_t state = 11;
  for (uint64_t i = 0; i < scores; ++i) values[i] = (float)random_score(&state);
  for (uint64_t i = 0; i < labels; ++i) targets[i] = (uint8_t)(i / 11 % CLASSES);
  p.input.scores = (segloss_array){values, scores, SEGLOSS_F32};
  p.input.target = (segloss_array){targets, labels, SEGLOSS_U8};
  p.gradient.values = (segloss_array_mut){whole, scores, SEGLOSS_F32};
  p.gradient.upstream = 0.3;
  evaluate(&p);
  const segloss_evaluation evaluated = p.result;
  segloss_class_sums class_sums[BATCH * CLASSES];
  memcpy(class_sums, p.result.class_sums, sizeof class_sums);

  uint64_t block = 0;
  CHECK(segloss_loss_block_voxels(&p.input, &block, NULL) == SEGLOSS_OK);
  CHECK(block > 0 && 2 * block < LONG_VOXELS);
  memset(p.sums, 0, p.sums_length * sizeof(double));
  memset(parts, SENTINEL, scores * sizeof *parts);
  p.gradient.values.data = parts;
  for (int step = 0; step < 2; ++step) {
    const int which = step == 0 ? ACCUMULATE : GRADIENT;
    for (int part = 0; part < 3; ++part) {
      p.part = (segloss_part){BATCH, 0, (uint64_t)part * block, part < 2 ? block : 0};
      if (by_sample && part == 2) continue;
      if (by_sample) {
        const uint64_t sample = (uint64_t)(1 - part);
        p.input.shape.batch = 1;
        p.part = (segloss_part){BATCH, sample, 0, 0};
        p.input.scores = (segloss_array){values + sample * LONG_VOXELS * CLASSES, scores / BATCH,
                                         SEGLOSS_F32};
        p.input.target = (segloss_array){targets + sample * LONG_VOXELS, LONG_VOXELS, SEGLOSS_U8};
        p.gradient.values = (segloss_array_mut){parts + sample * LONG_VOXELS * CLASSES,
                                                scores / BATCH, SEGLOSS_F32};
      }
      CHECK(call(&p, which, NULL) == SEGLOSS_OK);
    }
    if (step == 1) break;
    CHECK(call(&p, FINISH, NULL) == SEGLOSS_OK);
    CHECK(p.result.total == evaluated.total && p.result.weight == evaluated.weight);
    CHECK(memcmp(p.result.terms, evaluated.terms, TERMS * sizeof(double)) == 0);
    CHECK(p.result.counted_voxels == labels);
    CHECK(p.result.class_sums_length == BATCH * CLASSES);
    CHECK(memcmp(p.result.class_sums, class_sums, sizeof class_sums) == 0);
  }
  CHECK(memcmp(whole, parts, scores * sizeof *parts) == 0);
  free(values);
  free(whole);
  free(parts);
  free(targets);
  end(&p);
}

int main(void) {
  uniform_scores();
  uniform_gradient();
  perfect_prediction();
  result_fields();
  nothing_counts();
  upstream_and_accumulation();
  layouts();
  sharded_equals_evaluate(0);
  sharded_equals_evaluate(1);
  return finish_checks("values");
}
