// Threads: one parallel-for, used by the network and handed to segloss as its executor.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "segloss.h"

namespace train {

inline std::size_t default_threads() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 16);
}

// Calls task(i) once for every i < tasks, on up to `threads` threads.
template <class Task>
void parallel_for(std::size_t threads, std::size_t tasks, const Task& task) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < tasks; i = next++) task(i);
  };
  std::vector<std::thread> helpers;
  for (std::size_t t = 1; t < std::min(threads, tasks); ++t) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
}

// The callback of segloss_executor: `context` points to the number of threads. No exception may
// cross the library.
extern "C" inline void run_segloss_tasks(void* context, std::uint64_t tasks, segloss_task task,
                                         void* state) noexcept {
  const std::size_t threads = *static_cast<const std::size_t*>(context);
  parallel_for(threads, static_cast<std::size_t>(tasks),
               [=](std::size_t index) { task(state, index); });
}

}  // namespace train
