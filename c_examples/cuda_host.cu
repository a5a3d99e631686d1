// Losses of segloss in a program whose network runs on a GPU, in two ways:
//
//   1. Scores come over, loss and gradient are computed on the host in a callback of the stream,
//      the gradient goes back. For every loss of the library.
//   2. Of a distance term, only what cannot be done voxel by voxel: a bit per voxel comes over, the
//      distance field of that mask goes back in half precision, a kernel does the rest. About an
//      eighth of the traffic.
//
// Neither waits for the device: everything is queued on a stream, and while the host works for one
// sample, copies and kernels of another go on. Both are compared with a plain evaluation on the
// host.
//
// Exit status: 0 both ways are right, 1 they are not or something failed, 77 there is no device.
// With --host the kernels' arithmetic is checked on the host, without a device.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <vector>

#include <cuda_runtime.h>

#include "cuda_check.hpp"
#include "cuda_kernels.hpp"
#include "cuda_memory.hpp"
#include "cuda_problem.hpp"
#include "segloss.h"
#include "train_parallel.hpp"

namespace {

using namespace cuda_example;

// Any grid is right; this one fills a large device with a few blocks for each multiprocessor.
constexpr unsigned kBlocks = 512, kBlockThreads = 256;
// Threads that fold the parts of a sum; the host adds what they leave.
constexpr unsigned kFolders = 128;

__device__ std::uint64_t thread_number() {
  return static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__device__ std::uint64_t thread_count() {
  return static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
}

__global__ void forward_kernel(const float* input, std::uint64_t length, float* scores) {
  forward(input, length, scores, thread_number(), thread_count());
}

__global__ void pack_mask_kernel(const float* scores, std::uint64_t voxels, std::uint8_t* bits) {
  pack_mask(scores, voxels, bits, thread_number(), thread_count());
}

// `parts` has an element for each thread of the grid.
__global__ void pull_kernel(Pointwise of, double* parts) {
  parts[thread_number()] = pull(of, thread_number(), thread_count());
}

// `folded` has an element for each thread of the grid.
__global__ void fold_kernel(const double* parts, std::uint64_t length, double* folded) {
  folded[thread_number()] = fold(parts, length, thread_number(), thread_count());
}

// The threads of the host that the library may use in a callback.
struct HostThreads {
  HostThreads() = default;
  HostThreads(const HostThreads&) = delete;  // the executor points to `count`
  HostThreads& operator=(const HostThreads&) = delete;

  std::size_t count = train::default_threads();
  segloss_executor executor{&count, count, train::run_segloss_tasks};
};

// The network of a sample, and what both ways have on the device.
struct OnDevice {
  explicit OnDevice(const Sample& sample)
      : input(sample.input.size()), scores(sample.input.size()), gradient(sample.input.size()) {}

  // Whatever the gradient was becomes NaN, so that only a new one can be found right.
  void queue_network(const Stream& stream) const {
    check(cudaMemsetAsync(gradient.data(), 0xff, gradient.bytes(), stream), "cudaMemsetAsync");
    forward_kernel<<<kBlocks, kBlockThreads, 0, stream>>>(input.data(), input.length(),
                                                          scores.data());
    check(cudaGetLastError(), "forward_kernel");
  }

  DeviceArray<float> input, scores, gradient;
};

// The members that a callback or a copy works on stand before the stream, whose destructor waits.
class FirstWay {
 public:
  static constexpr const char* kName = "scores to the host, gradient back";
  static constexpr std::uint32_t kPreset = SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT;
  static constexpr bool kSameBits = true;

  explicit FirstWay(const Sample& sample)
      : sample_(sample),
        device_(sample),
        scores_(sample.input.size()),
        gradient_(sample.input.size()),
        loss_(kPreset, sample.size, threads_.count) {
    upload(device_.input, sample.input, stream_);
  }

  void queue() {
    device_.queue_network(stream_);
    queue_download(scores_, device_.scores, stream_);
    check(cudaLaunchHostFunc(stream_, on_host, this), "cudaLaunchHostFunc");
    queue_upload(device_.gradient, gradient_, stream_);
  }

  void wait() const { stream_.wait(); }

  Outcome outcome() const { return {loss_.value(), download(device_.gradient, stream_)}; }

  std::size_t bytes_moved() const { return scores_.bytes() + gradient_.bytes(); }

 private:
  // Runs when the scores have arrived, on a thread of the driver: no call of CUDA is allowed here,
  // and no exception may leave it. A refusal is kept, and thrown by outcome().
  static void CUDART_CB on_host(void* self) noexcept {
    auto& way = *static_cast<FirstWay*>(self);
    way.loss_.evaluate(way.scores_.data(), way.sample_.labels.data(), way.gradient_.data(),
                       &way.threads_.executor);
  }

  const Sample& sample_;
  HostThreads threads_;
  OnDevice device_;
  PinnedArray<float> scores_, gradient_;
  HostLoss loss_;
  Stream stream_;
};

class SecondWay {
 public:
  static constexpr const char* kName = "mask to the host, distance field back";
  static constexpr std::uint32_t kPreset = SEGLOSS_PRESET_HAUSDORFF_DT;
  static constexpr bool kSameBits = false;

  explicit SecondWay(const Sample& sample)
      : voxels_(sample.size.voxels()),
        device_(sample),
        labels_(voxels_),
        mask_(mask_bytes(voxels_)),
        to_prediction_(voxels_),
        to_target_(voxels_),
        parts_(kBlocks * kBlockThreads),
        folded_(kFolders),
        mask_here_(mask_bytes(voxels_)),
        to_prediction_here_(voxels_),
        folded_here_(kFolders),
        field_(sample.size, threads_.count) {
    upload(device_.input, sample.input, stream_);
    upload(labels_, sample.labels, stream_);
    std::vector<std::uint16_t> to_target(voxels_);  // once: labels do not change
    field_.compute(SEGLOSS_MASK_BYTES, sample.labels.data(), to_target.data(), &threads_.executor);
    field_.check();
    upload(to_target_, to_target, stream_);
  }

  void queue() {
    device_.queue_network(stream_);
    pack_mask_kernel<<<kBlocks, kBlockThreads, 0, stream_>>>(device_.scores.data(), voxels_,
                                                             mask_.data());
    check(cudaGetLastError(), "pack_mask_kernel");
    queue_download(mask_here_, mask_, stream_);
    check(cudaLaunchHostFunc(stream_, on_host, this), "cudaLaunchHostFunc");
    queue_upload(to_prediction_, to_prediction_here_, stream_);
    const Pointwise of = {device_.scores.data(), labels_.data(), to_prediction_.data(),
                          to_target_.data(),     voxels_,        device_.gradient.data()};
    pull_kernel<<<kBlocks, kBlockThreads, 0, stream_>>>(of, parts_.data());
    check(cudaGetLastError(), "pull_kernel");
    fold_kernel<<<1, kFolders, 0, stream_>>>(parts_.data(), parts_.length(), folded_.data());
    check(cudaGetLastError(), "fold_kernel");
    queue_download(folded_here_, folded_, stream_);
  }

  void wait() const { stream_.wait(); }

  Outcome outcome() const {
    field_.check();
    double sum = 0.0;
    for (unsigned i = 0; i < kFolders; ++i) sum += folded_here_.data()[i];
    return {sum / static_cast<double>(voxels_), download(device_.gradient, stream_)};
  }

  std::size_t bytes_moved() const { return mask_here_.bytes() + to_prediction_here_.bytes(); }

 private:
  static void CUDART_CB on_host(void* self) noexcept {
    auto& way = *static_cast<SecondWay*>(self);
    way.field_.compute(SEGLOSS_MASK_BITS, way.mask_here_.data(), way.to_prediction_here_.data(),
                       &way.threads_.executor);
  }

  std::uint64_t voxels_;
  HostThreads threads_;
  OnDevice device_;
  DeviceArray<std::uint8_t> labels_, mask_;
  DeviceArray<std::uint16_t> to_prediction_, to_target_;
  DeviceArray<double> parts_, folded_;
  PinnedArray<std::uint8_t> mask_here_;
  PinnedArray<std::uint16_t> to_prediction_here_;
  PinnedArray<double> folded_here_;
  HalfField field_;
  Stream stream_;
};

bool same_bits(const Outcome& a, const Outcome& b) {
  return a.value == b.value && a.gradient.size() == b.gradient.size() &&
         std::memcmp(a.gradient.data(), b.gradient.data(), a.gradient.size() * sizeof(float)) == 0;
}

template <class Way>
bool right(const char* order, const Outcome& found, const Outcome& expected) {
  const Difference apart = difference(found, expected);
  const bool same = same_bits(found, expected);
  const bool fine = Way::kSameBits ? same : within_half_precision(apart);
  std::printf("  %-10s value %.6f, differs by %.1e; gradient by %.1e of its largest entry%s: %s\n",
              order, found.value, apart.value, apart.gradient, same ? ", the same bits" : "",
              fine ? "right" : "WRONG");
  return fine;
}

template <class Way>
using Ways = std::vector<std::unique_ptr<Way>>;

template <class Way>
void one_by_one(const Ways<Way>& ways) {
  for (const auto& way : ways) {
    way->queue();
    way->wait();
  }
}

template <class Way>
void overlapped(const Ways<Way>& ways) {
  for (const auto& way : ways) way->queue();
  for (const auto& way : ways) way->wait();
}

template <class Work>
double milliseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  return elapsed.count();
}

template <class Way>
bool run(const std::vector<Sample>& samples) {
  std::printf("%s\n", Way::kName);
  Ways<Way> ways;
  std::vector<Outcome> expected;
  for (const Sample& sample : samples) {
    expected.push_back(plain_evaluation(Way::kPreset, sample));
    ways.push_back(std::make_unique<Way>(sample));
  }
  const auto all_right = [&](const char* order) {
    bool fine = true;
    for (std::size_t i = 0; i < ways.size(); ++i) {
      fine &= right<Way>(order, ways[i]->outcome(), expected[i]);
    }
    return fine;
  };
  overlapped(ways);  // the first run loads kernels and wakes threads: not timed
  const double apart = milliseconds([&] { one_by_one(ways); });
  const bool right_apart = all_right("one by one");
  const double together = milliseconds([&] { overlapped(ways); });
  const bool right_together = all_right("overlapped");
  std::printf("  %.1f MB moved per sample; %zu samples: %.1f ms one by one, %.1f ms overlapped\n",
              1e-6 * static_cast<double>(ways[0]->bytes_moved()), ways.size(), apart, together);
  return right_apart && right_together;
}

int run_on_device() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0) {
    std::printf("no CUDA device: %s\n", error != cudaSuccess ? cudaGetErrorString(error) : "none");
    return 77;
  }
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  std::printf("%s\n", properties.name);
  const Size size = {{96, 127, 129}, {3.0, 0.9, 0.9}};
  std::vector<Sample> samples;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) samples.push_back(make_sample(size, seed));
  const bool first = run<FirstWay>(samples);
  const bool second = run<SecondWay>(samples);
  return first && second ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count == 2 && std::strcmp(arguments[1], "--host") == 0) return check_on_host() ? 0 : 1;
    if (count == 1) return run_on_device();
    std::fprintf(stderr, "usage: cuda_host [--host]\n");
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "cuda_host: %s\n", failure.what());
  }
  return 1;
}
