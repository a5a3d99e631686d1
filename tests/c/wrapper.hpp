// Checks of the tests of segloss.hpp.
#ifndef SEGLOSS_TEST_WRAPPER_HPP
#define SEGLOSS_TEST_WRAPPER_HPP

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <initializer_list>

#include "segloss.hpp"

inline int failures = 0;

inline void check(bool passed, const char* file, int line, const char* what) {
  if (passed) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
}

#define CHECK(condition) check((condition), __FILE__, __LINE__, #condition)

// The error that a call throws; a status of 0 if it throws none.
template <class Call>
segloss::error error_of(const Call& call) {
  try {
    call();
  } catch (const segloss::error& error) {
    return error;
  }
  return segloss::error(segloss_detail{});
}

inline int run_checks(const char* program, std::initializer_list<void (*)()> checks) {
  try {
    for (const auto& one : checks) one();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
    return EXIT_FAILURE;
  }
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
