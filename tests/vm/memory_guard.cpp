// SPDX-License-Identifier: Apache-2.0
// Holds memory and says whether somebody has written to it: poplink-memory-guard MIB FILE. Takes all huge pages that
// are free and so much ordinary memory, fills them, says `guards`, and when FILE is there, whether all is as it was.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

constexpr std::size_t kHugePage = 2U << 20, kMebibyte = 1U << 20;

using Words = std::span<std::uint64_t>;

Words take(std::size_t bytes, int kind) {
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | kind, -1, 0);
  return at == MAP_FAILED ? Words() : Words(static_cast<std::uint64_t*>(at), bytes / sizeof(std::uint64_t));
}

std::uint64_t pattern(std::size_t piece, std::size_t word) {
  return (piece << 32 | word) * 0x9E37'79B9'7F4A'7C15 + 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc != 3) return EXIT_FAILURE;
  std::vector<Words> pieces;
  for (Words page = take(kHugePage, MAP_HUGETLB); !page.empty(); page = take(kHugePage, MAP_HUGETLB))
    pieces.push_back(page);
  const std::size_t huge = pieces.size();
  for (int i = 0; i < std::atoi(argv[1]); ++i) pieces.push_back(take(kMebibyte, MAP_LOCKED));
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    if (pieces[p].empty()) return EXIT_FAILURE;
    for (std::size_t w = 0; w < pieces[p].size(); ++w) pieces[p][w] = pattern(p, w);
  }
  std::printf("guards %zu huge pages\n", huge);
  // Whoever runs us says by this file when to look; the guest has no other way, and ends with the test in any case.
  while (::access(argv[2], F_OK) != 0) ::usleep(10'000);
  std::size_t harmed = 0;
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    for (std::size_t w = 0; w < pieces[p].size(); ++w) {
      if (static_cast<volatile std::uint64_t&>(pieces[p][w]) == pattern(p, w)) continue;
      if (harmed++ == 0)
        std::printf("harmed: piece %zu, word %zu: 0x%016llx\n", p, w, static_cast<unsigned long long>(pieces[p][w]));
    }
  }
  std::printf("%zu words harmed\n", harmed);
  return harmed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
