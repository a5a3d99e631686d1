/* Overlap and surface metrics of a label map and the one that it is judged by.
 *
 *   metrics                                           of two maps that are made here
 *   metrics PREDICTION REFERENCE CLASSES Z Y X DZ DY DX   of two files, one byte per voxel
 *
 * Z, Y, X are voxels along each axis, the slowest first; DZ, DY, DX the distances between them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "segloss.h"

enum { TOLERANCES = 2 };

static void fail(const char *what) {
  fprintf(stderr, "metrics: %s\n", what);
  exit(1);
}

static void require(segloss_status status, const segloss_detail *detail) {
  if (status == SEGLOSS_OK) return;
  fprintf(stderr, "metrics: %s (%s, position %" PRIu64 ": found %g, expected %g)\n",
          segloss_status_message(status), segloss_argument_name(detail->argument),
          detail->position, detail->value, detail->expected);
  exit(1);
}

static void *allocate(uint64_t count, size_t size) {
  void *memory = calloc((size_t)count, size);
  if (memory == NULL) fail("out of memory");
  return memory;
}

static uint64_t voxels_of(const segloss_label_pair *pair) {
  return pair->extent[0] * pair->extent[1] * pair->extent[2];
}

/* A ball of a label; the centre is in voxels, the radius in mm. */
static void draw_ball(uint8_t *labels, const segloss_label_pair *pair, uint8_t label,
                      const double centre[3], double radius) {
  for (uint64_t i = 0; i < voxels_of(pair); ++i) {
    uint64_t place = i;
    double squared = 0.0;
    for (int axis = 2; axis >= 0; --axis) {
      const double step = (double)(place % pair->extent[axis]) - centre[axis];
      place /= pair->extent[axis];
      squared += step * step * pair->spacing[axis] * pair->spacing[axis];
    }
    if (squared <= radius * radius) labels[i] = label;
  }
}

/* Class 1 is found 2 voxels beside its place, 2 a little too large, 3 not at all; 4 is not there. */
static void make_maps(segloss_label_pair *pair, uint8_t *prediction, uint8_t *reference) {
  const double one[] = {10, 14, 16}, beside[] = {10, 14, 18}, two[] = {12, 30, 34};
  const double three[] = {4, 38, 10};
  draw_ball(reference, pair, 1, one, 9.0);
  draw_ball(prediction, pair, 1, beside, 9.0);
  draw_ball(reference, pair, 2, two, 10.0);
  draw_ball(prediction, pair, 2, two, 10.6);
  draw_ball(reference, pair, 3, three, 3.0);
}

static void read_map(const char *path, uint8_t *labels, uint64_t voxels) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fread(labels, 1, (size_t)voxels, file) != voxels) fail(path);
  fclose(file);
}

static const char *words_of(uint32_t state) {
  switch (state) {
    case SEGLOSS_CLASS_PREDICTION_EMPTY: return "not in the prediction";
    case SEGLOSS_CLASS_REFERENCE_EMPTY: return "not in the reference";
    case SEGLOSS_CLASS_BOTH_EMPTY: return "in neither map";
    default: return "not evaluated";
  }
}

/* One line per class. */
static void print_metrics(const segloss_label_pair *pair, uint32_t model, uint32_t convention) {
  segloss_detail detail = {0, 0, 0, 0, 0};
  const double percentiles[] = {95.0}, tolerances[TOLERANCES] = {1.0, 2.0};
  segloss_surface_options options;
  require(segloss_surface_options_init(&options, sizeof options), &detail);
  options.model = model;
  options.convention = convention;
  options.percentiles = (segloss_doubles){percentiles, 1};
  options.tolerances = (segloss_doubles){tolerances, TOLERANCES};

  const uint64_t classes = pair->classes;
  segloss_overlap_counts *counts = allocate(classes, sizeof *counts);
  segloss_surface_result *surfaces = allocate(classes, sizeof *surfaces);
  segloss_tolerance_shares *shares = allocate(classes * TOLERANCES, sizeof *shares);
  double *hd95 = allocate(classes, sizeof *hd95);
  segloss_scratch scratch;
  require(segloss_surface_scratch_size(&options, pair, 1, &scratch.bytes, &detail), &detail);
  scratch.data = allocate(scratch.bytes, 1);
  require(segloss_count_overlap(pair, NULL, 0, counts, classes, &detail), &detail);
  require(segloss_surface_metrics(&options, pair, surfaces, classes, hd95, classes, shares,
                                  classes * TOLERANCES, scratch, NULL, &detail),
          &detail);

  printf("class    Dice      HD    HD95    ASSD    MASD  surface Dice within %g and %g\n",
         tolerances[0], tolerances[1]);
  for (uint64_t c = 1; c < classes; ++c) {
    const segloss_surface_result *own = &surfaces[c];
    double dice;
    require(segloss_overlap_score(&counts[c], SEGLOSS_METRIC_DICE, 1.0, 0.0, &dice, &detail),
            &detail);
    printf("%5" PRIu64, c);
    if (own->state == SEGLOSS_CLASS_BOTH_PRESENT) {
      printf("  %6.4f  %6.3f  %6.3f  %6.3f  %6.3f  %6.4f  %6.4f\n", dice, own->hausdorff, hd95[c],
             own->assd, own->masd, shares[c * TOLERANCES].surface_dice,
             shares[c * TOLERANCES + 1].surface_dice);
    } else {
      printf("  %s\n", words_of(own->state));
    }
  }
  free(counts);
  free(surfaces);
  free(shares);
  free(hd95);
  free(scratch.data);
}

int main(int argc, char **argv) {
  if (argc != 1 && argc != 10) fail("PREDICTION REFERENCE CLASSES Z Y X DZ DY DX, or nothing");
  const uint64_t extent[] = {24, 48, 48};
  const double spacing[] = {2.0, 0.8, 0.8};
  segloss_label_pair pair;
  if (segloss_label_pair_init(&pair, sizeof pair)) fail("another version of the library");
  pair.classes = argc > 1 ? strtoul(argv[3], NULL, 10) : 5;
  for (int axis = 0; axis < 3; ++axis) {
    pair.extent[axis] = argc > 1 ? strtoul(argv[4 + axis], NULL, 10) : extent[axis];
    pair.spacing[axis] = argc > 1 ? strtod(argv[7 + axis], NULL) : spacing[axis];
  }
  const uint64_t voxels = voxels_of(&pair);
  uint8_t *prediction = allocate(voxels, 1), *reference = allocate(voxels, 1);
  if (argc > 1) {
    read_map(argv[1], prediction, voxels);
    read_map(argv[2], reference, voxels);
  } else {
    make_maps(&pair, prediction, reference);
  }
  pair.prediction = (segloss_array){prediction, voxels, SEGLOSS_U8};
  pair.reference = (segloss_array){reference, voxels, SEGLOSS_U8};

  printf("surfaces of boundary voxels, percentiles as MONAI\n");
  print_metrics(&pair, SEGLOSS_SURFACE_VOXEL, SEGLOSS_PERCENTILE_MAXIMUM_OF_DIRECTED);
  printf("\nsurfaces between voxels, weighed by area, as DeepMind's surface-distance\n");
  print_metrics(&pair, SEGLOSS_SURFACE_SURFEL, SEGLOSS_PERCENTILE_AREA_WEIGHTED);
  free(prediction);
  free(reference);
  return 0;
}
