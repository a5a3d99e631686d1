/* One loss (Dice + cross-entropy) and its gradient, for two classes in four voxels. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "segloss.h"

static void require(segloss_status status) {
  if (status == SEGLOSS_OK) return;
  fprintf(stderr, "first_loss: %s\n", segloss_status_message(status));
  exit(1);
}

int main(void) {
  const float scores[8] = {2, 1, -1, 0, -2, -1, 1, 0}; /* logits, [class][voxel] */
  const uint8_t labels[4] = {0, 0, 1, 1};
  float gradient[8];

  segloss_term terms[2];
  uint64_t term_count;
  segloss_loss loss;
  require(segloss_preset(SEGLOSS_PRESET_DICE_CROSS_ENTROPY, terms, sizeof *terms, 2, &term_count));
  require(segloss_loss_init(&loss, sizeof loss));
  loss.terms = terms;
  loss.term_count = term_count;

  segloss_input input;
  require(segloss_input_init(&input, sizeof input));
  input.shape.classes = 2;
  input.shape.axes = 1;
  input.shape.extent[0] = 4;
  input.scores = (segloss_array){scores, 8, SEGLOSS_F32};
  input.target = (segloss_array){labels, 4, SEGLOSS_U8};

  segloss_gradient derivative;
  require(segloss_gradient_init(&derivative, sizeof derivative));
  derivative.values = (segloss_array_mut){gradient, 8, SEGLOSS_F32};

  segloss_scratch scratch = {NULL, 0};
  require(segloss_loss_scratch_size(&loss, &input, NULL, 1, &scratch.bytes, NULL));
  scratch.data = malloc(scratch.bytes);
  segloss_evaluation result;
  require(segloss_loss_evaluate(&loss, &input, &derivative, scratch, NULL, &result, NULL));
  free(scratch.data);

  printf("segloss %s, %" PRIu64 " voxels\n", segloss_version(), result.counted_voxels);
  printf("Dice %.6f + cross-entropy %.6f = %.6f\n", result.terms[0], result.terms[1], result.total);
  for (int i = 0; i < 8; ++i) printf("gradient[%d][%d] = %+.6f\n", i / 4, i % 4, gradient[i]);
  return 0;
}
