// SPDX-License-Identifier: Apache-2.0
// A file that is there whole or not at all.
#include "draft_file.h"

#include <gmock/gmock.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <system_error>

#include "scratch.h"

namespace poplink::host {
namespace {

namespace fs = std::filesystem;
constexpr std::uint8_t kHalf[] = {'h', 'a', 'l', 'f', ' '};

class DraftFileTest : public ::testing::Test {
 protected:
  std::string text() const { return sim::contentsOf(path_); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(fs::path(path_).parent_path()), {}));
  }

  const sim::Scratch scratch_;
  const std::string path_ = scratch_ / "table.mrt", draft_ = path_ + ".draft";
};

/// File access as somebody who is not root.
class Nobody {
 public:
  Nobody() : before_(::setfsuid(::geteuid() == 0 ? 65534 : ::geteuid())) {}
  ~Nobody() { ::setfsuid(static_cast<uid_t>(before_)); }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;

 private:
  int before_;
};

std::string refusalOf(const std::string& path) {
  return sim::refusal([&] { DraftFile(path, 0640); });
}

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

TEST_F(DraftFileTest, TakesThePlaceOfWhatAKilledOneLeft) {
  const auto write = [&] {
    DraftFile file(path_, 0640);
    file.write(kHalf);
    file.finish();
  };
  for (int kills = 0; kills < 3; ++kills) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      DraftFile file(path_, 0600);
      file.write(kHalf);
      file.write(kHalf);
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(files(), kills == 0 ? 1U : 2U) << "it has left a draft";
    write();
    EXPECT_EQ(files(), 1U);
    EXPECT_EQ(text(), "half ");
  }
}

TEST_F(DraftFileTest, OfTwoAtOnceTheLaterOneHolds) {
  auto earlier = std::make_unique<DraftFile>(path_, 0640);
  earlier->write(kHalf);
  DraftFile later(path_, 0640);
  earlier->write(kHalf);
  EXPECT_THAT(sim::refusal([&] { earlier->finish(); }), ::testing::StartsWith(path_ + ": a later write has begun: "));
  EXPECT_FALSE(fs::exists(path_));
  earlier.reset();  // which removes nothing of the other's
  later.write(kHalf);
  later.finish();
  EXPECT_EQ(text(), "half ");
  EXPECT_EQ(files(), 1U);
}

TEST_F(DraftFileTest, FollowsNoLinkAndOpensNothingThatIsThereAlready) {
  const std::string secret = scratch_ / "secret";
  std::ofstream(secret) << "not to be touched";
  fs::permissions(secret, fs::perms::owner_read);
  const auto unharmed = [&] {
    return sim::contentsOf(secret) == "not to be touched" && fs::status(secret).permissions() == fs::perms::owner_read;
  };
  const std::function<void()> traps[] = {
      [&] { fs::create_symlink(secret, draft_); }, [&] { fs::create_symlink(scratch_ / "new", draft_); },
      [&] { fs::create_hard_link(secret, draft_); }, [&] { ASSERT_EQ(::mkfifo(draft_.c_str(), 0666), 0); }};
  for (const auto& trap : traps) {
    trap();
    DraftFile file(path_, 0640);
    file.write(kHalf);
    file.finish();
    EXPECT_TRUE(unharmed());
    EXPECT_EQ(text(), "half ");
    EXPECT_EQ(files(), 2U);
    fs::remove(path_);
  }
}

TEST_F(DraftFileTest, SaysWhereItMayNotWrite) {
  fs::permissions(fs::path(path_).parent_path(), fs::perms::owner_read | fs::perms::owner_exec);
  {
    const Nobody nobody;
    EXPECT_EQ(refusalOf(path_), draft_ + ": Permission denied");
  }
  fs::permissions(fs::path(path_).parent_path(), fs::perms::owner_all);
  EXPECT_EQ(refusalOf(scratch_ / "none/table.mrt"),
            std::string(scratch_ / "none/table.mrt.draft: No such file or directory"));
  fs::create_directory(draft_);
  EXPECT_EQ(refusalOf(path_), draft_ + ": File exists");
}

}  // namespace
}  // namespace poplink::host
