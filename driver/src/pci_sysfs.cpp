// SPDX-License-Identifier: Apache-2.0
#include "pci_sysfs.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "poplink/driver/descriptor.h"
#include "poplink/driver/pci_config.h"

namespace poplink::driver {

namespace fs = std::filesystem;

namespace {

std::string firstLine(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

bool PciSysfs::exists() const {
  std::error_code ignored;
  return fs::exists(directory_, ignored);
}

std::string PciSysfs::text(const std::string& attribute) const {
  return firstLine(path(attribute));
}

std::optional<std::int64_t> PciSysfs::number(const std::string& attribute) const {
  std::string line = text(attribute);
  int base = 10;
  if (line.rfind("0x", 0) == 0) {
    line.erase(0, 2);
    base = 16;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value, base);
  return error == std::errc() && end == line.data() + line.size() ? std::optional(value) : std::nullopt;
}

std::string PciSysfs::target(const std::string& link) const {
  std::error_code error;
  const fs::path to = fs::read_symlink(path(link), error);
  return error ? "" : to.filename().string();
}

std::optional<unsigned> PciSysfs::iommuGroup() const {
  const std::string group = target("iommu_group");
  unsigned number = 0;
  const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), number);
  return error == std::errc() && end == group.data() + group.size() ? std::optional(number) : std::nullopt;
}

bool PciSysfs::write(const std::string& attribute, const std::string& value) const {
  const Descriptor file(::open(path(attribute).c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

std::uint16_t PciSysfs::command() const {
  const Descriptor file(::open(path("config").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<std::uint8_t, 2> bytes{};
  if (!file || ::pread(file.get(), bytes.data(), bytes.size(), pci::kCommand) != static_cast<ssize_t>(bytes.size()))
    return 0;
  return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
}

std::string lockdown(const PciSystem& system) {
  const std::string levels = firstLine(system.sys + "/kernel/security/lockdown");
  const std::size_t from = levels.find('['), to = levels.find(']');
  if (from == std::string::npos || to == std::string::npos || to < from) return "";
  const std::string level = levels.substr(from + 1, to - from - 1);
  return level == "none" ? "" : level;
}

}  // namespace poplink::driver
