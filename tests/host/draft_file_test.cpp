// SPDX-License-Identifier: Apache-2.0
// A file that is there whole or not at all.
#include "draft_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "scratch.h"

namespace poplink::host {
namespace {

namespace fs = std::filesystem;
constexpr std::uint8_t kHalf[] = {'h', 'a', 'l', 'f', ' '};

class DraftFileTest : public ::testing::Test {
 protected:
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(fs::path(path_).parent_path()), {}));
  }

  const sim::Scratch scratch_;
  const std::string path_ = scratch_ / "table.mrt";
};

TEST_F(DraftFileTest, IsThereWhenItIsFinishedAndTakesThePlaceOfWhatWas) {
  std::ofstream(path_) << "what was";
  DraftFile file(path_, 0640);
  file.write(kHalf);
  EXPECT_EQ(text(), "what was");
  file.write(kHalf);
  file.finish();
  EXPECT_EQ(text(), "half half ");
  EXPECT_EQ(files(), 1U);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST_F(DraftFileTest, LeavesNothingWhenItIsGivenUp) {
  {
    DraftFile file(path_, 0640);
    file.write(kHalf);
    EXPECT_EQ(files(), 1U);
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(DraftFileTest, LeavesNothingWhereItCannotBe) {
  EXPECT_THROW(DraftFile(path_ + "/below", 0640), std::system_error);
  fs::create_directory(path_);
  {
    DraftFile file(path_, 0640);
    EXPECT_THROW(file.finish(), std::system_error);
  }
  EXPECT_TRUE(fs::is_directory(path_));
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace poplink::host
