// Memory and streams of CUDA that give themselves back; every error becomes an exception.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <cuda_runtime.h>

namespace cuda_example {

inline void check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(error));
}

class Stream {
 public:
  // Does not wait for the default stream, nor the default stream for it.
  Stream() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }
  // Waits, so that no callback and no copy outlives the memory it works on. Errors have shown
  // themselves before, or an exception is on its way.
  ~Stream() {
    static_cast<void>(cudaStreamSynchronize(stream_));
    static_cast<void>(cudaStreamDestroy(stream_));
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  operator cudaStream_t() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

 private:
  cudaStream_t stream_ = nullptr;
};

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t length) : length_(length) {
    check(cudaMalloc(reinterpret_cast<void**>(&data_), length * sizeof(T)), "cudaMalloc");
  }
  ~DeviceArray() { static_cast<void>(cudaFree(data_)); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return data_; }
  std::size_t length() const { return length_; }
  std::size_t bytes() const { return length_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  std::size_t length_;
};

// Memory of the host that copies reach without a detour: only then are they asynchronous.
template <class T>
class PinnedArray {
 public:
  explicit PinnedArray(std::size_t length) : length_(length) {
    check(cudaMallocHost(reinterpret_cast<void**>(&data_), length * sizeof(T)), "cudaMallocHost");
  }
  ~PinnedArray() { static_cast<void>(cudaFreeHost(data_)); }
  PinnedArray(const PinnedArray&) = delete;
  PinnedArray& operator=(const PinnedArray&) = delete;

  T* data() const { return data_; }
  std::size_t bytes() const { return length_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  std::size_t length_;
};

// Copies queued on a stream; lengths are those of the pinned side, which has as many elements.
template <class T>
void queue_download(const PinnedArray<T>& to, const DeviceArray<T>& from, const Stream& stream) {
  check(cudaMemcpyAsync(to.data(), from.data(), to.bytes(), cudaMemcpyDeviceToHost, stream),
        "copy to the host");
}

template <class T>
void queue_upload(const DeviceArray<T>& to, const PinnedArray<T>& from, const Stream& stream) {
  check(cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyHostToDevice, stream),
        "copy to the device");
}

// Copies that are over when the function returns, for what is done once.
template <class T>
void upload(const DeviceArray<T>& to, const std::vector<T>& from, const Stream& stream) {
  check(cudaMemcpyAsync(to.data(), from.data(), to.bytes(), cudaMemcpyHostToDevice, stream),
        "copy to the device");
  stream.wait();
}

template <class T>
std::vector<T> download(const DeviceArray<T>& from, const Stream& stream) {
  std::vector<T> to(from.length());
  check(cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyDeviceToHost, stream),
        "copy to the host");
  stream.wait();
  return to;
}

}  // namespace cuda_example
