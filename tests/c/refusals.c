/* Every refusal that does not depend on the data: pointers, struct sizes, enumerators, lengths,
 * options, shapes, parts. Nothing is written on any of them. */
#include <stddef.h>

#include "support.h"

static void messages(void) {
  CHECK(strlen(segloss_version()) >= strlen("0.0.0"));
  const char *unknown = segloss_status_message(-1);
  int known = 0;
  for (segloss_status status = -1000; status <= 1000; ++status) {
    const char *message = segloss_status_message(status);
    CHECK(message != NULL && message[0] != '\0');
    known += strcmp(message, unknown) != 0;
  }
  /* Success, and 34 reasons to refuse. */
  CHECK(known == 35);
  CHECK(strcmp(segloss_status_message(INT32_MAX), unknown) == 0);
  CHECK(strcmp(segloss_status_message(INT32_MIN), unknown) == 0);
  for (uint32_t argument = 0; argument < 100; ++argument) {
    const char *name = segloss_argument_name(argument);
    CHECK(name != NULL && name[0] != '\0');
    const int named = argument > SEGLOSS_ARGUMENT_NONE && argument <= SEGLOSS_ARGUMENT_CONFIDENCE;
    CHECK(named == (strcmp(name, "none") != 0));
  }
}

/* The four functions that fill a struct with defaults. */
static void defaults(void) {
  unsigned char room[1024];
  CHECK(sizeof(segloss_term) <= sizeof room && sizeof(segloss_input) <= sizeof room);
  memset(room, SENTINEL, sizeof room);
  segloss_term *term = (segloss_term *)(void *)room;
  segloss_loss *loss = (segloss_loss *)(void *)room;
  segloss_input *input = (segloss_input *)(void *)room;
  segloss_gradient *gradient = (segloss_gradient *)(void *)room;

  const segloss_status null = SEGLOSS_STATUS_NULL_POINTER;
  CHECK(segloss_term_init(NULL, sizeof *term, SEGLOSS_TERM_DICE) == null);
  CHECK(segloss_loss_init(NULL, sizeof *loss) == null);
  CHECK(segloss_input_init(NULL, sizeof *input) == null);
  CHECK(segloss_gradient_init(NULL, sizeof *gradient) == null);

  const segloss_status size = SEGLOSS_STATUS_STRUCT_SIZE;
  for (int wrong = -1; wrong <= 1; wrong += 2) {
    const size_t by = (size_t)wrong;
    CHECK(segloss_term_init(term, sizeof *term + by, SEGLOSS_TERM_DICE) == size);
    CHECK(segloss_loss_init(loss, sizeof *loss + by) == size);
    CHECK(segloss_input_init(input, sizeof *input + by) == size);
    CHECK(segloss_gradient_init(gradient, sizeof *gradient + by) == size);
  }
  CHECK(segloss_term_init(term, 0, SEGLOSS_TERM_DICE) == size);
  CHECK(segloss_loss_init(loss, 0) == size);

  const uint32_t unknown[] = {0, SEGLOSS_TERM_BOUNDARY + 1, UINT32_MAX};
  for (int i = 0; i < 3; ++i) {
    CHECK(segloss_term_init(term, sizeof *term, unknown[i]) ==
          SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
  }
  CHECK(all_sentinel(room, sizeof room));

  CHECK(segloss_term_init(term, sizeof *term, SEGLOSS_TERM_FOCAL) == SEGLOSS_OK);
  CHECK(term->size == sizeof *term && term->kind == SEGLOSS_TERM_FOCAL && term->weight == 1.0);
  CHECK(all_sentinel(room + sizeof *term, sizeof room - sizeof *term));
}

static void presets(void) {
  segloss_term terms[4];
  uint64_t count;
  memset(terms, SENTINEL, sizeof terms);
  memset(&count, SENTINEL, sizeof count);
  const uint32_t two = SEGLOSS_PRESET_DICE_CROSS_ENTROPY;
  const size_t size = sizeof *terms;
  CHECK(segloss_preset(two, NULL, size, 2, &count) == SEGLOSS_STATUS_NULL_POINTER);
  CHECK(segloss_preset(two, terms, size, 2, NULL) == SEGLOSS_STATUS_NULL_POINTER);
  CHECK(segloss_preset(two, terms, size - 1, 2, &count) == SEGLOSS_STATUS_STRUCT_SIZE);
  CHECK(segloss_preset(two, terms, size + 1, 2, &count) == SEGLOSS_STATUS_STRUCT_SIZE);
  CHECK(segloss_preset(two, terms, size, 1, &count) == SEGLOSS_STATUS_LENGTH);
  CHECK(segloss_preset(two, terms, size, 0, &count) == SEGLOSS_STATUS_LENGTH);
  CHECK(segloss_preset(SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT, terms, size, 2, &count) ==
        SEGLOSS_STATUS_LENGTH);
  CHECK(segloss_preset(0, terms, size, 2, &count) == SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
  CHECK(segloss_preset(UINT32_MAX, terms, size, 2, &count) == SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
  CHECK(all_sentinel(terms, sizeof terms) && all_sentinel(&count, sizeof count));
  for (uint32_t preset = SEGLOSS_PRESET_DICE_CROSS_ENTROPY;
       preset <= SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT; ++preset) {
    CHECK(segloss_preset(preset, terms, size, 3, &count) == SEGLOSS_OK);
    CHECK(count >= 1 && count <= 3);
  }
  CHECK(segloss_preset(SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT + 1, terms, size, 3, &count) ==
        SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
  CHECK(all_sentinel(&terms[3], sizeof terms[3]));
}

static void null_pointers(void) {
  const segloss_status null = SEGLOSS_STATUS_NULL_POINTER;
  REFUSED(LOSS, null, SEGLOSS_ARGUMENT_LOSS, p.loss_argument = NULL);
  REFUSED(LOSS, null, SEGLOSS_ARGUMENT_TERM, p.loss.terms = NULL);
  REFUSED(ALL, null, SEGLOSS_ARGUMENT_SCORES, p.input_argument = NULL);
  REFUSED(DATA, null, SEGLOSS_ARGUMENT_SCORES, p.input.scores.data = NULL);
  REFUSED(DATA, null, SEGLOSS_ARGUMENT_TARGET, p.input.target.data = NULL);
  REFUSED(DATA, null, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS,
          p.input.voxel_weights = (segloss_array){NULL, LABELS, SEGLOSS_F32});
  REFUSED(GRADIENT, null, SEGLOSS_ARGUMENT_GRADIENT, p.gradient_argument = NULL);
  REFUSED(EVALUATE | GRADIENT, null, SEGLOSS_ARGUMENT_GRADIENT, p.gradient.values.data = NULL);
  REFUSED(EVALUATE | FINISH, null, SEGLOSS_ARGUMENT_RESULT, p.result_argument = NULL);
  REFUSED(SIZE | BLOCK | LENGTH, null, SEGLOSS_ARGUMENT_RESULT, p.number_argument = NULL);
  REFUSED(SUMS, null, SEGLOSS_ARGUMENT_SUMS, p.sums_argument = NULL);
  REFUSED(DATA, null, SEGLOSS_ARGUMENT_SCRATCH, p.scratch.data = NULL);
  REFUSED(TASKS, null, SEGLOSS_ARGUMENT_EXECUTOR, p.executor.workers = 1;
          p.executor_argument = &p.executor);
  /* Lists of terms: a length without numbers. */
  REFUSED(LOSS, null, SEGLOSS_ARGUMENT_CLASS_WEIGHTS, p.terms[0].class_weights.length = CLASSES);
  REFUSED(LOSS, null, SEGLOSS_ARGUMENT_POSITIVE_WEIGHTS,
          set_kind(&p, SEGLOSS_TERM_BINARY_CROSS_ENTROPY);
          p.loss.activation = SEGLOSS_SIGMOID; p.terms[0].positive_weights.length = CLASSES);
  REFUSED(LOSS, null, SEGLOSS_ARGUMENT_ALPHA, set_kind(&p, SEGLOSS_TERM_FOCAL);
          p.terms[0].alpha.length = 1);
  REFUSED(LOSS, null, SEGLOSS_ARGUMENT_NODE_WEIGHTS, set_kind(&p, SEGLOSS_TERM_TREE_CROSS_ENTROPY);
          p.loss.tree = small_tree(); p.terms[0].node_weights.length = NODES);
  REFUSED(LOSS, null, SEGLOSS_ARGUMENT_DISTANCE_MATRIX, set_kind(&p, SEGLOSS_TERM_TREE_WASSERSTEIN);
          p.terms[0].ground = SEGLOSS_GROUND_MATRIX);
  REFUSED(LOSS, null, SEGLOSS_ARGUMENT_TREE_CLASS, set_kind(&p, SEGLOSS_TERM_TREE_WASSERSTEIN);
          p.loss.tree = small_tree(); p.loss.tree.leaf_of_class = NULL);
  /* What may be NULL. */
  ACCEPTED(ALL, p.part_argument = NULL);
  ACCEPTED(EVALUATE, p.gradient_argument = NULL);
  ACCEPTED(SIZE | BLOCK | LENGTH, p.input.scores.data = NULL; p.input.target.data = NULL;
           p.input.scores.length = 0; p.input.target.length = 0);
}

static void misaligned_pointers(void) {
  const segloss_status misaligned = SEGLOSS_STATUS_MISALIGNED;
  const double expected = sizeof(float);
  REFUSED_AT(DATA, misaligned, SEGLOSS_ARGUMENT_SCORES, 0, 0, expected,
             p.input.scores.data = (const char *)p.scores + 1);
  REFUSED_AT(EVALUATE | GRADIENT, misaligned, SEGLOSS_ARGUMENT_GRADIENT, 0, 0, expected,
             p.gradient.values.data = (char *)p.gradient_values + 2);
  REFUSED(DATA, misaligned, SEGLOSS_ARGUMENT_TARGET,
          p.input.target = (segloss_array){p.labels + 1, LABELS, SEGLOSS_U16});
  REFUSED(DATA, misaligned, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS,
          p.input.voxel_weights =
              (segloss_array){(const char *)p.weights + 1, LABELS, SEGLOSS_F32});
  REFUSED(SUMS, misaligned, SEGLOSS_ARGUMENT_SUMS,
          p.sums_argument = (double *)(void *)((char *)p.sums + 4));
  REFUSED(LOSS, misaligned, SEGLOSS_ARGUMENT_CLASS_WEIGHTS,
          p.terms[0].class_weights =
              (segloss_doubles){(const double *)(const void *)((char *)p.sums + 4), CLASSES});
}

static void struct_sizes(void) {
  const segloss_status size = SEGLOSS_STATUS_STRUCT_SIZE;
  const double loss = sizeof(segloss_loss), term = sizeof(segloss_term);
  const double input = sizeof(segloss_input), gradient = sizeof(segloss_gradient);
  REFUSED_AT(LOSS, size, SEGLOSS_ARGUMENT_LOSS, 0, 0, loss, p.loss.size = 0);
  REFUSED_AT(LOSS, size, SEGLOSS_ARGUMENT_LOSS, 0, loss - 1, loss, p.loss.size -= 1);
  REFUSED_AT(LOSS, size, SEGLOSS_ARGUMENT_TERM, 1, 0, term, p.terms[1].size = 0);
  REFUSED_AT(LOSS, size, SEGLOSS_ARGUMENT_TERM, 1, term - 1, term, p.terms[1].size -= 1);
  REFUSED_AT(ALL, size, SEGLOSS_ARGUMENT_SCORES, 0, 0, input, p.input.size = 0);
  REFUSED_AT(ALL, size, SEGLOSS_ARGUMENT_SCORES, 0, input - 1, input, p.input.size -= 1);
  REFUSED_AT(EVALUATE | GRADIENT, size, SEGLOSS_ARGUMENT_GRADIENT, 0, 0, gradient,
             p.gradient.size = 0);
  REFUSED_AT(EVALUATE | GRADIENT, size, SEGLOSS_ARGUMENT_GRADIENT, 0, gradient - 1, gradient,
             p.gradient.size -= 1);
  /* The terms lie `sizeof(segloss_term)` apart, so a larger one cannot be followed. */
  REFUSED(LOSS, size, SEGLOSS_ARGUMENT_TERM, p.terms[0].size += 8);
}

/* Fields of a term that hold an enumerator, with a kind that reads them. */
typedef struct field {
  uint32_t kind;
  size_t offset;
} field;

static const field term_fields[] = {
    {SEGLOSS_TERM_DICE, offsetof(segloss_term, kind)},
    {SEGLOSS_TERM_DICE, offsetof(segloss_term, pooling)},
    {SEGLOSS_TERM_DICE, offsetof(segloss_term, overlap)},
    {SEGLOSS_TERM_DICE, offsetof(segloss_term, denominator)},
    {SEGLOSS_TERM_DICE, offsetof(segloss_term, ratio)},
    {SEGLOSS_TERM_TVERSKY, offsetof(segloss_term, pooling)},
    {SEGLOSS_TERM_TVERSKY, offsetof(segloss_term, overlap)},
    {SEGLOSS_TERM_GENERALISED_DICE, offsetof(segloss_term, pooling)},
    {SEGLOSS_TERM_GENERALISED_DICE, offsetof(segloss_term, overlap)},
    {SEGLOSS_TERM_GENERALISED_DICE, offsetof(segloss_term, weighting)},
    {SEGLOSS_TERM_CROSS_ENTROPY, offsetof(segloss_term, activation)},
    {SEGLOSS_TERM_BINARY_CROSS_ENTROPY, offsetof(segloss_term, activation)},
    {SEGLOSS_TERM_FOCAL, offsetof(segloss_term, activation)},
    {SEGLOSS_TERM_FOCAL, offsetof(segloss_term, mean)},
    {SEGLOSS_TERM_TOP_K_CROSS_ENTROPY, offsetof(segloss_term, activation)},
    {SEGLOSS_TERM_TREE_WASSERSTEIN, offsetof(segloss_term, ground)},
    {SEGLOSS_TERM_TREE_WASSERSTEIN, offsetof(segloss_term, scale)},
    {SEGLOSS_TERM_WASSERSTEIN_DICE, offsetof(segloss_term, ground)},
    {SEGLOSS_TERM_WASSERSTEIN_DICE, offsetof(segloss_term, weighting)},
    {SEGLOSS_TERM_HAUSDORFF_DT, offsetof(segloss_term, sides)},
};

static void set_field(problem *p, const field *which, uint32_t value) {
  CHECK(segloss_term_init(&p->terms[1], sizeof *p->terms, which->kind) == SEGLOSS_OK);
  p->terms[1].spacing[0] = 1.0;
  p->loss.tree = small_tree();
  memcpy((char *)&p->terms[1] + which->offset, &value, sizeof value);
}

static void enumerators(void) {
  const segloss_status unknown = SEGLOSS_STATUS_UNKNOWN_ENUMERATOR;
  const uint32_t values[] = {SEGLOSS_TERM_BOUNDARY + 1, 77, UINT32_MAX};
  for (size_t i = 0; i < sizeof term_fields / sizeof *term_fields; ++i) {
    for (int v = 0; v < 3; ++v) {
      REFUSED_AT(LOSS, unknown, SEGLOSS_ARGUMENT_TERM, 1, values[v], 0,
                 set_field(&p, &term_fields[i], values[v]));
    }
  }
  for (int v = 0; v < 3; ++v) {
    const uint32_t value = values[v];
    REFUSED_AT(LOSS, unknown, SEGLOSS_ARGUMENT_LOSS, 0, value, 0, p.loss.activation = value);
    REFUSED_AT(LOSS, unknown, SEGLOSS_ARGUMENT_LOSS, 0, value, 0, p.loss.level = value);
    REFUSED_AT(ALL, unknown, SEGLOSS_ARGUMENT_SHAPE, 0, value, 0, p.input.shape.layout = value);
    REFUSED_AT(ALL, unknown, SEGLOSS_ARGUMENT_SCORES, 0, value, 0, p.input.scores.type = value);
    REFUSED_AT(ALL, unknown, SEGLOSS_ARGUMENT_TARGET, 0, value, 0, p.input.target_kind = value);
    REFUSED_AT(DATA, unknown, SEGLOSS_ARGUMENT_TARGET, 0, value, 0, p.input.target.type = value);
    REFUSED_AT(DATA, unknown, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS, 0, value, 0,
               p.input.voxel_weights = (segloss_array){p.weights, LABELS, value});
    REFUSED_AT(EVALUATE | GRADIENT, unknown, SEGLOSS_ARGUMENT_GRADIENT, 0, value, 0,
               p.gradient.values.type = value);
    REFUSED_AT(EVALUATE | GRADIENT, unknown, SEGLOSS_ARGUMENT_GRADIENT, 0, value, 0,
               p.gradient.mode = value);
  }
  /* Known types in the wrong place. */
  REFUSED(ALL, unknown, SEGLOSS_ARGUMENT_SCORES, p.input.scores.type = SEGLOSS_U8);
  REFUSED(DATA, unknown, SEGLOSS_ARGUMENT_TARGET, p.input.target.type = SEGLOSS_F32);
  REFUSED(DATA, unknown, SEGLOSS_ARGUMENT_TARGET, p.input.target_kind = SEGLOSS_TARGET_DENSE;
          p.input.target = (segloss_array){p.scores, SCORES, SEGLOSS_I16});
  REFUSED(DATA, unknown, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS,
          p.input.voxel_weights = (segloss_array){p.weights, LABELS, SEGLOSS_I16});
  REFUSED(EVALUATE | GRADIENT, SEGLOSS_STATUS_ELEMENT_TYPE, SEGLOSS_ARGUMENT_GRADIENT,
          p.gradient.values.type = SEGLOSS_F16);
  REFUSED(LOSS, unknown, SEGLOSS_ARGUMENT_TERM,
          p.terms[1].activation = SEGLOSS_NO_ACTIVATION);
}

static void lengths(void) {
  const segloss_status length = SEGLOSS_STATUS_LENGTH;
  static const double ones[NODES * NODES] = {1, 1, 1, 1, 1};
  for (int wrong = -1; wrong <= 1; wrong += 2) {
    const uint64_t by = (uint64_t)wrong;
    REFUSED_AT(DATA, length, SEGLOSS_ARGUMENT_SCORES, 0, SCORES + wrong, SCORES,
               p.input.scores.length += by);
    REFUSED_AT(DATA, length, SEGLOSS_ARGUMENT_TARGET, 0, LABELS + wrong, LABELS,
               p.input.target.length += by);
    REFUSED_AT(DATA, length, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS, 0, LABELS + wrong, LABELS,
               p.input.voxel_weights = (segloss_array){p.weights, LABELS + by, SEGLOSS_F32});
    REFUSED_AT(EVALUATE | GRADIENT, length, SEGLOSS_ARGUMENT_GRADIENT, 0, SCORES + wrong, SCORES,
               p.gradient.values.length += by);
    REFUSED_AT(LOSS, length, SEGLOSS_ARGUMENT_CLASS_WEIGHTS, 0, CLASSES + wrong, CLASSES,
               p.terms[0].class_weights = (segloss_doubles){ones, CLASSES + by});
    REFUSED_AT(LOSS, length, SEGLOSS_ARGUMENT_POSITIVE_WEIGHTS, 0, CLASSES + wrong, CLASSES,
               set_kind(&p, SEGLOSS_TERM_BINARY_CROSS_ENTROPY);
               p.loss.activation = SEGLOSS_SIGMOID;
               p.terms[0].positive_weights = (segloss_doubles){ones, CLASSES + by});
    REFUSED_AT(LOSS, length, SEGLOSS_ARGUMENT_ALPHA, 0, CLASSES + wrong, CLASSES,
               set_kind(&p, SEGLOSS_TERM_FOCAL);
               p.terms[0].alpha = (segloss_doubles){ones, CLASSES + by});
    REFUSED_AT(LOSS, length, SEGLOSS_ARGUMENT_NODE_WEIGHTS, 0, NODES + wrong, NODES,
               set_kind(&p, SEGLOSS_TERM_TREE_CROSS_ENTROPY); p.loss.tree = small_tree();
               p.terms[0].node_weights = (segloss_doubles){ones, NODES + by});
    REFUSED_AT(LOSS, length, SEGLOSS_ARGUMENT_DISTANCE_MATRIX, 0, CLASSES * CLASSES + wrong,
               CLASSES * CLASSES, set_kind(&p, SEGLOSS_TERM_TREE_WASSERSTEIN);
               p.terms[0].ground = SEGLOSS_GROUND_MATRIX;
               p.terms[0].distance_matrix = (segloss_doubles){ones, CLASSES * CLASSES + by});
    /* The array stays as long as it was; the call is told otherwise. */
    problem p;
    begin(&p);
    const uint64_t sums = p.sums_length;
    p.sums_length = sums - 1;
    if (wrong > 0) {
      p.sums = realloc(p.sums, (sums + 1) * sizeof(double));
      p.sums_argument = p.sums;
      p.sums_length = sums + 1;
      fill_outputs(&p);
    }
    check_refused(__FILE__, __LINE__, &p, SUMS,
                  (refusal){length, SEGLOSS_ARGUMENT_SUMS, 1, 0, (double)p.sums_length,
                            (double)sums});
    end(&p);
  }
  /* Missing node weights are as many as none. */
  REFUSED_AT(LOSS, length, SEGLOSS_ARGUMENT_NODE_WEIGHTS, 0, 0, NODES,
             set_kind(&p, SEGLOSS_TERM_TREE_CROSS_ENTROPY); p.loss.tree = small_tree());
  /* Lengths beyond the address space. */
  REFUSED(ACCUMULATE | FINISH, SEGLOSS_STATUS_SHAPE_OVERFLOW, SEGLOSS_ARGUMENT_SCORES,
          p.scratch = (segloss_scratch){NULL, 0}; p.input.scores.length = UINT64_MAX / 4);
  REFUSED(LOSS, SEGLOSS_STATUS_SHAPE_OVERFLOW, SEGLOSS_ARGUMENT_CLASS_WEIGHTS,
          p.terms[0].class_weights = (segloss_doubles){ones, UINT64_MAX});
  REFUSED(LOSS, SEGLOSS_STATUS_SHAPE_OVERFLOW, SEGLOSS_ARGUMENT_TREE_NODE,
          p.loss.tree = small_tree(); p.loss.tree.nodes = UINT64_MAX);
}

static void options(void) {
  const segloss_status option = SEGLOSS_STATUS_OPTION;
  const uint32_t at_term = SEGLOSS_ARGUMENT_TERM;
  const double bad[] = {-1.0, NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 4; ++i) {
    const double value = bad[i];
    const double list[NODES] = {1.0, value, 1.0, 1.0, 1.0};
    REFUSED_AT(LOSS, option, at_term, 0, value, 0, p.terms[0].smooth_numerator = value);
    REFUSED_AT(LOSS, option, at_term, 0, value, 0, p.terms[0].smooth_denominator = value);
    REFUSED_AT(LOSS, option, at_term, 1, value, 0, p.terms[1].label_smoothing = value);
    REFUSED_AT(LOSS, option, at_term, 0, value, 0, set_kind(&p, SEGLOSS_TERM_TVERSKY);
               p.terms[0].false_positive_weight = value);
    REFUSED_AT(LOSS, option, at_term, 0, value, 0, set_kind(&p, SEGLOSS_TERM_TVERSKY);
               p.terms[0].false_negative_weight = value);
    REFUSED_AT(LOSS, option, at_term, 0, value, 0, set_kind(&p, SEGLOSS_TERM_TVERSKY);
               p.terms[0].exponent = value);
    REFUSED_AT(LOSS, option, at_term, 0, value, 0, set_kind(&p, SEGLOSS_TERM_FOCAL);
               p.terms[0].gamma = value);
    REFUSED_AT(LOSS, option, at_term, 0, value, 0, set_kind(&p, SEGLOSS_TERM_TOP_K_CROSS_ENTROPY);
               p.terms[0].fraction = value);
    REFUSED_AT(LOSS, option, SEGLOSS_ARGUMENT_CLASS_WEIGHTS, 1, value, 0,
               p.terms[1].class_weights = (segloss_doubles){list, CLASSES});
    REFUSED_AT(LOSS, option, SEGLOSS_ARGUMENT_ALPHA, 1, value, 0,
               set_kind(&p, SEGLOSS_TERM_FOCAL);
               p.terms[0].alpha = (segloss_doubles){list, CLASSES});
    REFUSED_AT(LOSS, option, SEGLOSS_ARGUMENT_NODE_WEIGHTS, 1, value, 0,
               set_kind(&p, SEGLOSS_TERM_TREE_CROSS_ENTROPY); p.loss.tree = small_tree();
               p.terms[0].node_weights = (segloss_doubles){list, NODES});
  }
  REFUSED_AT(LOSS, option, at_term, 1, 1.5, 0, p.terms[1].label_smoothing = 1.5);
  REFUSED_AT(LOSS, option, at_term, 0, 0, 0, set_kind(&p, SEGLOSS_TERM_TVERSKY);
             p.terms[0].exponent = 0.0);
  REFUSED_AT(LOSS, option, at_term, 0, 0, 0, set_kind(&p, SEGLOSS_TERM_TOP_K_CROSS_ENTROPY);
             p.terms[0].fraction = 0.0);
  REFUSED_AT(LOSS, option, at_term, 0, 1.5, 0, set_kind(&p, SEGLOSS_TERM_TOP_K_CROSS_ENTROPY);
             p.terms[0].fraction = 1.5);
  REFUSED_AT(LOSS, option, at_term, 0, CLASSES, 0, set_kind(&p, SEGLOSS_TERM_WASSERSTEIN_DICE);
             p.loss.tree = small_tree(); p.terms[0].background = CLASSES);
  REFUSED_AT(LOSS, option, at_term, 1, NAN, 0, p.terms[1].weight = NAN);
  REFUSED_AT(LOSS, option, at_term, 1, INFINITY, 0, p.terms[1].weight = INFINITY);
  REFUSED_AT(EVALUATE | GRADIENT, option, SEGLOSS_ARGUMENT_GRADIENT, 0, NAN, 0,
             p.gradient.upstream = NAN);
  REFUSED_AT(EVALUATE | GRADIENT, option, SEGLOSS_ARGUMENT_GRADIENT, 0, INFINITY, 0,
             p.gradient.upstream = INFINITY);
}

/* Each term against activation, target and tree. */
static void combinations(void) {
  const uint32_t at_term = SEGLOSS_ARGUMENT_TERM;
  REFUSED_AT(LOSS, SEGLOSS_STATUS_TERM_COUNT, SEGLOSS_ARGUMENT_LOSS, 0, 0, 0,
             p.loss.term_count = 0);
  REFUSED_AT(LOSS, SEGLOSS_STATUS_TERM_COUNT, SEGLOSS_ARGUMENT_LOSS, 0, 17, 0,
             p.loss.term_count = 17);
  REFUSED(LOSS, SEGLOSS_STATUS_TERM_COUNT, SEGLOSS_ARGUMENT_LOSS, p.loss.term_count = UINT64_MAX);
  REFUSED_AT(LOSS, SEGLOSS_STATUS_ACTIVATION, at_term, 1, 0, 0,
             p.loss.activation = SEGLOSS_SIGMOID);
  REFUSED_AT(LOSS, SEGLOSS_STATUS_ACTIVATION, at_term, 0, 0, 0,
             set_kind(&p, SEGLOSS_TERM_BINARY_CROSS_ENTROPY));
  REFUSED_AT(LOSS, SEGLOSS_STATUS_ACTIVATION, at_term, 0, 0, 0,
             set_kind(&p, SEGLOSS_TERM_FOCAL); p.loss.activation = SEGLOSS_NO_ACTIVATION);
  REFUSED_AT(LOSS, SEGLOSS_STATUS_TREE_MISSING, at_term, 0, 0, 0,
             set_kind(&p, SEGLOSS_TERM_TREE_WASSERSTEIN));
  REFUSED(LOSS, SEGLOSS_STATUS_TREE_MISSING, SEGLOSS_ARGUMENT_TARGET,
          p.input.target_kind = SEGLOSS_TARGET_NODES);
  REFUSED_AT(LOSS, SEGLOSS_STATUS_TARGET_KIND, at_term, 0, 0, 0, p.loss.tree = small_tree();
             p.input.target_kind = SEGLOSS_TARGET_NODES);
  static const uint8_t dense[SCORES];
  REFUSED_AT(LOSS, SEGLOSS_STATUS_TARGET_KIND, at_term, 0, 0, 0,
             set_kind(&p, SEGLOSS_TERM_TOP_K_CROSS_ENTROPY);
             p.input.target_kind = SEGLOSS_TARGET_DENSE;
             p.input.target = (segloss_array){dense, SCORES, SEGLOSS_U8});
  REFUSED(LENGTH | SUMS, SEGLOSS_STATUS_NOT_SHARDABLE, at_term,
          set_kind(&p, SEGLOSS_TERM_TOP_K_CROSS_ENTROPY));
  REFUSED_AT(LOSS, SEGLOSS_STATUS_TREE_CLASSES, SEGLOSS_ARGUMENT_LOSS, 0, CLASSES, CLASSES - 1,
             p.loss.tree = small_tree(); p.input.shape.classes = CLASSES - 1;
             p.input.scores.length = LABELS * (CLASSES - 1); p.gradient.values.length =
                 LABELS * (CLASSES - 1));
}

static void shapes(void) {
  const segloss_status shape = SEGLOSS_STATUS_SHAPE;
  const uint32_t argument = SEGLOSS_ARGUMENT_SHAPE;
  REFUSED_AT(ALL, shape, argument, 0, 0, 1, p.input.shape.batch = 0);
  REFUSED_AT(ALL, shape, argument, 1, 0, 1, p.input.shape.classes = 0);
  REFUSED_AT(ALL, shape, argument, 2, 0, 1, p.input.shape.extent[0] = 0);
  REFUSED_AT(ALL, shape, argument, 4, 0, 1, p.input.shape.axes = 3;
             p.input.shape.extent[2] = 0);
  REFUSED_AT(ALL, shape, argument, 2, 0, 3, p.input.shape.axes = 0);
  REFUSED_AT(ALL, shape, argument, 2, 4, 3, p.input.shape.axes = 4);
  REFUSED(ALL, shape, argument, p.input.shape.axes = UINT32_MAX);
  /* Entries past `axes` are not read. */
  ACCEPTED(ALL, p.input.shape.extent[1] = 0; p.input.shape.extent[2] = UINT64_MAX);

  const segloss_status overflow = SEGLOSS_STATUS_SHAPE_OVERFLOW;
  const uint64_t large = (uint64_t)1 << 32;
  REFUSED(ALL, overflow, argument, p.input.shape.batch = large;
          p.input.shape.extent[0] = large);
  REFUSED(ALL, overflow, argument, p.input.shape.classes = (uint64_t)1 << 61);
  REFUSED(ALL, overflow, argument, p.input.shape.batch = UINT64_MAX);
  REFUSED(ALL, overflow, argument, p.input.shape.axes = 3; p.input.shape.extent[0] = large;
          p.input.shape.extent[1] = large; p.input.shape.extent[2] = large);
  /* Products that wrap around to what the buffers have. */
  REFUSED(ALL, overflow, argument, p.input.shape.batch = BATCH + ((uint64_t)1 << 63));
  /* As large as the address space allows: the sums do not fit, and nothing wraps. */
  for (int axis = 0; axis < 60; ++axis) {
    problem p;
    begin(&p);
    p.input.shape.batch = (uint64_t)1 << axis;
    p.input.shape.classes = 1;
    p.input.shape.extent[0] = (uint64_t)1 << (59 - axis);
    p.part_argument = NULL;
    const segloss_status status = call(&p, SIZE, NULL);
    CHECK(status == SEGLOSS_OK || status == overflow);
    CHECK(call(&p, EVALUATE, NULL) != SEGLOSS_OK);
    p.input.shape.classes = p.input.shape.batch;
    p.input.shape.batch = 1;
    CHECK(call(&p, EVALUATE, NULL) != SEGLOSS_OK);
    CHECK(outputs_untouched(&p, p.sums_length) || status == SEGLOSS_OK);
    end(&p);
  }
}

static void parts(void) {
  const segloss_status part = SEGLOSS_STATUS_PART;
  const uint32_t argument = SEGLOSS_ARGUMENT_PART;
  const int calls = SIZE | LENGTH | SUMS;
  REFUSED(calls, part, argument, p.part.batch = BATCH - 1);
  REFUSED(calls, part, argument, p.part.batch = 0);
  REFUSED(calls, part, argument, p.part.first_sample = 1);
  REFUSED(calls, part, argument, p.part.first_sample = UINT64_MAX);
  REFUSED(calls, part, argument, p.part.first_voxel = 1);
  REFUSED(calls, part, argument, p.part.first_voxel = (uint64_t)1 << 63);
  REFUSED(calls, part, argument, p.part.voxels = VOXELS - 1);
  REFUSED(calls, part, argument, p.part.voxels = VOXELS + 1);
  REFUSED(calls, part, argument, p.part.voxels = UINT64_MAX);
  REFUSED(calls, SEGLOSS_STATUS_SHAPE_OVERFLOW, argument, p.part.batch = UINT64_MAX / 4);
  ACCEPTED(calls, p.part.voxels = VOXELS);
}

int main(void) {
  messages();
  defaults();
  presets();
  null_pointers();
  misaligned_pointers();
  struct_sizes();
  enumerators();
  lengths();
  options();
  combinations();
  shapes();
  parts();
  return finish_checks("refusals");
}
