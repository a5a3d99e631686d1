/* Functions of <math.h> beside the library. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "segloss.h"

int main(int count, char **arguments) {
  const double x = count > 1 ? atof(arguments[1]) : 0;
  if (segloss_version() == NULL) return 1;
  printf("%g %g\n", fmod(x, 2.5), round(sqrt(x)));
  return 0;
}
