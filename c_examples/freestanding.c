/* A loss without an operating system's help: no C library, no heap, no main. Linux on x86-64 only,
 * for its own _start and two system calls; exits with 0 if the loss is what it must be.
 *
 *   cc -O2 -ffreestanding -nostdlib -static -fno-stack-protector freestanding.c libsegloss.a */
#include <stddef.h>
#include <stdint.h>

#include "segloss.h"

#if !defined(__x86_64__) || !defined(__linux__)
#error "this example is for Linux on x86-64"
#endif

/* All that the library asks for. String instructions: a compiler turns loops into calls of the
 * very functions they are in. */
void *memcpy(void *to, const void *from, size_t bytes) {
  void *const start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
  return start;
}

void *memset(void *to, int value, size_t bytes) {
  void *const start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return start;
}

void *memmove(void *to, const void *from, size_t bytes) {
  if ((uintptr_t)to - (uintptr_t)from >= bytes) return memcpy(to, from, bytes);
  unsigned char *last_to = (unsigned char *)to + bytes - 1;
  const unsigned char *last_from = (const unsigned char *)from + bytes - 1;
  __asm__ volatile("std; rep movsb; cld"
                   : "+D"(last_to), "+S"(last_from), "+c"(bytes)
                   :
                   : "memory");
  return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
  const unsigned char *left = a, *right = b;
  for (size_t i = 0; i < bytes; ++i) {
    if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
  }
  return 0;
}

int bcmp(const void *a, const void *b, size_t bytes) {
  return memcmp(a, b, bytes);
}

static long system_call(long number, long first, long second, long third) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(first), "S"(second), "d"(third)
                   : "rcx", "r11", "memory");
  return result;
}

static void print(const char *text) {
  long length = 0;
  while (text[length] != '\0') ++length;
  system_call(1 /* write */, 1, (long)text, length);
}

/* Scores of 0 in 4 classes: the cross-entropy is ln 4, its gradient (1/4 - [label]) / voxels. */
enum { CLASSES = 4, VOXELS = 64, SCRATCH_BYTES = 1 << 20 };
static float scores[CLASSES * VOXELS];
static float gradient[CLASSES * VOXELS];
static uint8_t labels[VOXELS];
static unsigned char scratch_memory[SCRATCH_BYTES];

static int close_to(double value, double expected) {
  return value - expected < 1e-6 && expected - value < 1e-6;
}

static const char *run(void) {
  segloss_term term;
  segloss_loss loss;
  segloss_input input;
  segloss_gradient derivative;
  segloss_evaluation result;
  uint64_t bytes = 0;
  segloss_term_init(&term, sizeof term, SEGLOSS_TERM_CROSS_ENTROPY);
  segloss_loss_init(&loss, sizeof loss);
  segloss_input_init(&input, sizeof input);
  segloss_gradient_init(&derivative, sizeof derivative);
  loss.terms = &term;
  loss.term_count = 1;
  input.shape.classes = CLASSES;
  input.shape.axes = 1;
  input.shape.extent[0] = VOXELS;
  input.scores = (segloss_array){scores, CLASSES * VOXELS, SEGLOSS_F32};
  input.target = (segloss_array){labels, VOXELS, SEGLOSS_U8};
  derivative.values = (segloss_array_mut){gradient, CLASSES * VOXELS, SEGLOSS_F32};

  segloss_status status = segloss_loss_scratch_size(&loss, &input, NULL, 1, &bytes, NULL);
  if (status != SEGLOSS_OK) return segloss_status_message(status);
  if (bytes > SCRATCH_BYTES) return "more scratch is needed than this example has";
  const segloss_scratch scratch = {scratch_memory, SCRATCH_BYTES};
  status = segloss_loss_evaluate(&loss, &input, &derivative, scratch, NULL, &result, NULL);
  if (status != SEGLOSS_OK) return segloss_status_message(status);

  const double ln_4 = 1.3862943611198906;
  if (!close_to(result.total, ln_4)) return "wrong value";
  if (!close_to(gradient[0], (0.25 - 1.0) / VOXELS)) return "wrong gradient";
  if (!close_to(gradient[VOXELS], 0.25 / VOXELS)) return "wrong gradient";
  return NULL;
}

_Noreturn void freestanding_main(void);
_Noreturn void freestanding_main(void) {
  const char *failure = run();
  print(failure == NULL ? "freestanding: cross-entropy and gradient are right" : failure);
  print("\n");
  for (;;) system_call(60 /* exit */, failure != NULL, 0, 0);
}

/* The stack is aligned to 16 bytes here, as every C function expects. */
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  and $-16, %rsp\n"
    "  call freestanding_main\n");
