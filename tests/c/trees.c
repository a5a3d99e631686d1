/* Label trees: each defect refused with its node or class, distances and node weights. */
#include "support.h"

/* What the calls on a tree write to. */
typedef struct tree_outputs {
  double weights[NODES];
  double distances[CLASSES * CLASSES];
  double distance;
} tree_outputs;

static segloss_tree tree;
static segloss_scratch scratch;
static tree_outputs out;

static void begin_tree(void) {
  tree = small_tree();
  uint64_t bytes = 0;
  CHECK(segloss_tree_scratch_size(&tree, &bytes, NULL) == SEGLOSS_OK);
  free(scratch.data);
  scratch = (segloss_scratch){malloc(bytes), bytes};
  memset(&out, SENTINEL, sizeof out);
}

enum { CHECK_TREE, NODE_WEIGHTS, LEVEL_WEIGHTS, DISTANCE, DISTANCES, TREE_CALLS };

static const double level_weights[3] = {9, 0.25, 0.5};

static segloss_status call_tree(int which, const segloss_tree *given, segloss_detail *detail) {
  switch (which) {
    case CHECK_TREE:
      return segloss_tree_check(given, scratch, detail);
    case NODE_WEIGHTS:
      return segloss_tree_node_weights(given, SEGLOSS_NODE_WEIGHTS_UNIFORM, 1.0, scratch,
                                       out.weights, NODES, detail);
    case LEVEL_WEIGHTS:
      return segloss_tree_level_weights(given, level_weights, 3, scratch, out.weights, NODES,
                                        detail);
    case DISTANCE:
      return segloss_tree_distance(given, 0, 2, scratch, &out.distance, detail);
    default:
      return segloss_tree_distances(given, scratch, out.distances, CLASSES * CLASSES, detail);
  }
}

static const char *tree_call_name(int which) {
  static const char *const names[] = {"tree_check", "tree_node_weights", "tree_level_weights",
                                      "tree_distance", "tree_distances"};
  return names[which];
}

static void check_tree_refused(int line, const segloss_tree *given, refusal want) {
  for (int which = 0; which < TREE_CALLS; ++which) {
    segloss_detail detail;
    memset(&detail, SENTINEL, sizeof detail);
    const segloss_status status = call_tree(which, given, &detail);
    check_refusal(__FILE__, line, tree_call_name(which), status, &detail, &want);
    CHECK(call_tree(which, given, NULL) == status);
    CHECK(all_sentinel(&out, sizeof out));
  }
}

/* A loss refuses the same tree with the same detail. */
static void check_loss_refuses(int line, const segloss_tree *given, refusal want) {
  problem p;
  begin(&p);
  p.loss.tree = small_tree();
  provide(&p);
  p.loss.tree = *given;
  check_refused(__FILE__, line, &p, EVALUATE | SUMS, want);
  end(&p);
}

#define REFUSED_TREE(status, argument, position, value, expected, ...)               \
  do {                                                                               \
    begin_tree();                                                                    \
    __VA_ARGS__;                                                                     \
    const refusal want = {status, argument, 1, position, value, expected};           \
    check_tree_refused(__LINE__, &tree, want);                                       \
    check_loss_refuses(__LINE__, &tree, want);                                       \
  } while (0)

#define PARENTS(...) (const int32_t[NODES]) { __VA_ARGS__ }
#define LEAVES(...) (const int32_t[CLASSES]) { __VA_ARGS__ }
#define EDGES(...) (const double[NODES]) { __VA_ARGS__ }

static void defects(void) {
  const uint32_t node = SEGLOSS_ARGUMENT_TREE_NODE, class = SEGLOSS_ARGUMENT_TREE_CLASS;
  REFUSED_TREE(SEGLOSS_STATUS_TREE_NO_ROOT, node, 0, 0, 0, tree.parent = PARENTS(1, 0, 1, 1, 0));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_TWO_ROOTS, node, 4, 0, 0,
               tree.parent = PARENTS(-1, 0, 1, 1, -1));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_TWO_ROOTS, node, 4, 0, 0,
               tree.parent = PARENTS(0, 0, 1, 1, 4));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_CYCLE, node, 1, 0, 0, tree.parent = PARENTS(-1, 4, 1, 0, 1));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_PARENT, node, 3, NODES, NODES - 1,
               tree.parent = PARENTS(-1, 0, 1, NODES, 0));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_PARENT, node, 3, -2, NODES - 1,
               tree.parent = PARENTS(-1, 0, 1, -2, 0));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_PARENT, node, 3, INT32_MIN, NODES - 1,
               tree.parent = PARENTS(-1, 0, 1, INT32_MIN, 0));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_CLASS_NOT_LEAF, class, 1, 1, 0,
               tree.leaf_of_class = LEAVES(2, 1, 4));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_CLASS_NOT_LEAF, class, 2, NODES, 0,
               tree.leaf_of_class = LEAVES(2, 3, NODES));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_CLASS_NOT_LEAF, class, 0, -1, 0,
               tree.leaf_of_class = LEAVES(-1, 3, 4));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_DUPLICATE_LEAF, class, 2, 3, 0,
               tree.leaf_of_class = LEAVES(2, 3, 3));
  REFUSED_TREE(SEGLOSS_STATUS_TREE_LEAF_WITHOUT_CLASS, node, 4, 0, 0, tree.classes = CLASSES - 1);
  const double bad[] = {0.0, -1.0, NAN, INFINITY};
  for (int i = 0; i < 4; ++i) {
    REFUSED_TREE(SEGLOSS_STATUS_TREE_EDGE_WEIGHT, node, 3, bad[i], 0,
                 tree.edge_weights = EDGES(1, 1, 1, bad[i], 1));
  }
  REFUSED_TREE(SEGLOSS_STATUS_NULL_POINTER, class, 0, 0, 0, tree.leaf_of_class = NULL);
}

static void arguments(void) {
  const refusal null = {SEGLOSS_STATUS_NULL_POINTER, SEGLOSS_ARGUMENT_TREE_NODE, 1, 0, 0, 0};
  begin_tree();
  check_tree_refused(__LINE__, NULL, null);
  tree.parent = NULL;
  check_tree_refused(__LINE__, &tree, null);

  begin_tree();
  const double needed = (double)scratch.bytes;
  scratch.bytes -= 1;
  check_tree_refused(__LINE__, &tree,
                     (refusal){SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, 1, 0,
                               needed - 1, needed});
  void *const memory = scratch.data;
  scratch.data = NULL;
  check_tree_refused(__LINE__, &tree, (refusal){SEGLOSS_STATUS_NULL_POINTER,
                                                SEGLOSS_ARGUMENT_SCRATCH, 1, 0, 0, 0});
  scratch.data = memory;

  begin_tree();
  const segloss_status null_pointer = SEGLOSS_STATUS_NULL_POINTER, length = SEGLOSS_STATUS_LENGTH;
  const uint32_t rule = SEGLOSS_NODE_WEIGHTS_UNIFORM;
  double *const weights = out.weights, *const distances = out.distances;
  uint64_t bytes;
  CHECK(segloss_tree_scratch_size(NULL, &bytes, NULL) == null_pointer);
  CHECK(segloss_tree_scratch_size(&tree, NULL, NULL) == null_pointer);
  CHECK(segloss_tree_node_weights(&tree, rule, 1, scratch, NULL, NODES, NULL) == null_pointer);
  CHECK(segloss_tree_level_weights(&tree, NULL, 3, scratch, weights, NODES, NULL) ==
        null_pointer);
  CHECK(segloss_tree_level_weights(&tree, level_weights, 3, scratch, NULL, NODES, NULL) ==
        null_pointer);
  CHECK(segloss_tree_distance(&tree, 0, 1, scratch, NULL, NULL) == null_pointer);
  CHECK(segloss_tree_distances(&tree, scratch, NULL, CLASSES * CLASSES, NULL) == null_pointer);
  for (int wrong = -1; wrong <= 1; wrong += 2) {
    const uint64_t by = (uint64_t)wrong;
    CHECK(segloss_tree_node_weights(&tree, rule, 1, scratch, weights, NODES + by, NULL) == length);
    CHECK(segloss_tree_level_weights(&tree, level_weights, 3, scratch, weights, NODES + by,
                                     NULL) == length);
    CHECK(segloss_tree_distances(&tree, scratch, distances, CLASSES * CLASSES + by, NULL) ==
          length);
  }
  /* Too few levels; more than the tree has are not read. */
  CHECK(segloss_tree_level_weights(&tree, level_weights, 2, scratch, weights, NODES, NULL) ==
        length);
  CHECK(segloss_tree_node_weights(&tree, 77, 1, scratch, weights, NODES, NULL) ==
        SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
  const double bad[] = {-1.0, NAN, INFINITY};
  for (int i = 0; i < 3; ++i) {
    CHECK(segloss_tree_node_weights(&tree, rule, bad[i], scratch, weights, NODES, NULL) ==
          SEGLOSS_STATUS_OPTION);
    CHECK(segloss_tree_node_weights(&tree, SEGLOSS_NODE_WEIGHTS_HIERARCHICAL, bad[i], scratch,
                                    weights, NODES, NULL) == SEGLOSS_STATUS_OPTION);
  }
  segloss_detail detail;
  CHECK(segloss_tree_distance(&tree, 0, CLASSES, scratch, &out.distance, &detail) ==
        SEGLOSS_STATUS_LABEL);
  CHECK(detail.argument == SEGLOSS_ARGUMENT_TREE_CLASS && detail.value == CLASSES &&
        detail.expected == CLASSES - 1);
  CHECK(segloss_tree_distance(&tree, UINT64_MAX, 0, scratch, &out.distance, NULL) ==
        SEGLOSS_STATUS_LABEL);
  CHECK(all_sentinel(&out, sizeof out));
  tree.nodes = UINT64_MAX;
  CHECK(segloss_tree_scratch_size(&tree, &bytes, NULL) == SEGLOSS_STATUS_SHAPE_OVERFLOW);
}

/* Outputs that lie in scratch, or in what the call reads. */
static void overlaps(void) {
  const segloss_status overlap = SEGLOSS_STATUS_OVERLAP;
  double both[NODES] = {9, 0.25, 0.5, 0, 0};
  begin_tree();
  CHECK(segloss_tree_level_weights(&tree, both, 3, scratch, both, NODES, NULL) == overlap);
  double *const inside = (double *)(void *)((char *)scratch.data + 16);
  CHECK(segloss_tree_node_weights(&tree, SEGLOSS_NODE_WEIGHTS_UNIFORM, 1, scratch, inside, NODES,
                                  NULL) == overlap);
  CHECK(segloss_tree_distance(&tree, 0, 1, scratch, inside, NULL) == overlap);
  CHECK(segloss_tree_distances(&tree, scratch, inside, CLASSES * CLASSES, NULL) == overlap);
  begin_tree();
  memcpy(scratch.data, tree_parent, sizeof tree_parent);
  tree.parent = scratch.data;
  CHECK(segloss_tree_check(&tree, scratch, NULL) == overlap);
}

/* Edges: leaf 2 to node 1 is 2, leaf 3 to node 1 is 3, node 1 to the root 1, leaf 4 to it 4. */
static void values(void) {
  const double distances[CLASSES * CLASSES] = {0, 5, 7, 5, 0, 8, 7, 8, 0};
  const double uniform[NODES] = {0, 0.5, 0.5, 0.5, 1.0}, levels[NODES] = {0, 0.25, 0.5, 0.5, 0.25};
  for (size_t offset = 0; offset < 64; ++offset) {
    begin_tree();
    unsigned char *memory = malloc(scratch.bytes + offset);
    free(scratch.data);
    scratch.data = memory + offset;
    CHECK(call_tree(CHECK_TREE, &tree, NULL) == SEGLOSS_OK);
    CHECK(call_tree(DISTANCE, &tree, NULL) == SEGLOSS_OK && out.distance == 7);
    CHECK(call_tree(DISTANCES, &tree, NULL) == SEGLOSS_OK);
    CHECK(memcmp(out.distances, distances, sizeof distances) == 0);
    CHECK(call_tree(NODE_WEIGHTS, &tree, NULL) == SEGLOSS_OK);
    CHECK(memcmp(out.weights, uniform, sizeof uniform) == 0);
    CHECK(call_tree(LEVEL_WEIGHTS, &tree, NULL) == SEGLOSS_OK);
    CHECK(memcmp(out.weights, levels, sizeof levels) == 0);
    scratch.data = NULL;
    free(memory);
  }
  /* Without edge weights every edge is 1; the root may be its own parent; one node is a tree. */
  begin_tree();
  tree.edge_weights = NULL;
  tree.parent = PARENTS(0, 0, 1, 1, 0);
  CHECK(call_tree(DISTANCE, &tree, NULL) == SEGLOSS_OK && out.distance == 3);
  tree = (segloss_tree){PARENTS(-1), NULL, 1, LEAVES(0), 1};
  CHECK(call_tree(CHECK_TREE, &tree, NULL) == SEGLOSS_OK);
  free(scratch.data);
  scratch.data = NULL;
}

int main(void) {
  defects();
  arguments();
  overlaps();
  values();
  return finish_checks("trees");
}
