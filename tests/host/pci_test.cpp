// SPDX-License-Identifier: Apache-2.0
// Cards on a PCI bus, over a host that is a fake: a tree like sysfs, and answers as the kernel gives them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "fake_host.h"
#include "iova_space.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pci_cards.h"

namespace poplink::driver {
namespace {

using sim::refusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace reg = card_map::reg;

constexpr const char* kAddress = "0000:03:00.0";
constexpr std::uint32_t kGone = 0xFFFF'FFFF;

class Pci : public ::testing::Test {
 protected:
  std::unique_ptr<Transport> open(const std::string& address = kAddress, const PciOptions& options = {}) const {
    return openPciCard(address, "a test (process 1)", options, host);
  }
  std::string refused(const std::string& address = kAddress) const {
    return refusal([&] { open(address); });
  }
  static std::vector<std::uint32_t> run(Transport& card, std::vector<Access> accesses) { return card.run(accesses); }

  std::shared_ptr<FakeHost> host = std::make_shared<FakeHost>();
};

// ---- who is there

using PciList = Pci;

TEST_F(PciList, shows_all_that_is_known_of_each_card_and_no_other_device) {
  host->addCard("0000:04:00.0", 9);
  host->addCard(kAddress);
  host->addDevice("0000:00:1f.0", "0x8086", "0x2918");
  host->bindVfio(kAddress);
  const std::vector<PciCard> cards = listPciCards(*host);
  ASSERT_EQ(cards.size(), 2U);
  const PciCard& card = cards[0];
  EXPECT_EQ(card.address, kAddress);
  EXPECT_EQ(card.vendor, 0x10EE);
  EXPECT_EQ(card.device, 0x504C);
  EXPECT_EQ(card.subsystem_vendor, 0x10EE);
  EXPECT_EQ(card.subsystem, 0x504C);
  EXPECT_EQ(card.device_class, 0x028000U);
  EXPECT_EQ(card.revision, 1);
  EXPECT_THAT(card.capabilities, ElementsAre(0x01U, 0x11U));
  EXPECT_EQ(card.bar0_bytes, 1U << 20);
  EXPECT_EQ(card.link_speed, "8.0 GT/s PCIe");
  EXPECT_EQ(card.link_width, 8U);
  EXPECT_EQ(card.max_link_speed, "16.0 GT/s PCIe");
  EXPECT_EQ(card.max_link_width, 16U);
  EXPECT_EQ(card.numa_node, 1);
  EXPECT_EQ(card.iommu_group, 7U);
  EXPECT_EQ(card.driver, "vfio-pci");
  EXPECT_EQ(card.serial, FakeHost::kSerial);
  EXPECT_EQ(card.owner, "");
  EXPECT_EQ(cards[1].serial, 9U);
  EXPECT_EQ(cards[1].iommu_group, std::nullopt);
  EXPECT_EQ(cards[1].driver, "");
}

TEST_F(PciList, names_the_owner_and_does_not_disturb_it) {
  host->addCard(kAddress);
  const auto card = open();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(listPciCards(*host).at(0).owner, "a test (process 1)");
  EXPECT_EQ(run(*card, {Access::read(reg::kMagic)}).at(0), card_map::kMagicValue);
}

TEST_F(PciList, serial_of_a_card_that_cannot_be_asked_is_unknown) {
  host->addCard(kAddress);
  host->map_error = EINVAL;  // a driver has the registers
  EXPECT_EQ(listPciCards(*host).at(0).serial, std::nullopt);
  host->map_error = 0;
  host->removeCard(kAddress);
  EXPECT_EQ(listPciCards(*host).at(0).serial, std::nullopt);
  host->addCard(kAddress);
  host->open_errors[host->device(kAddress) + "/resource0"] = EACCES;
  EXPECT_EQ(listPciCards(*host).at(0).serial, std::nullopt);
}

TEST_F(PciList, host_without_a_bus_is_named) {
  EXPECT_TRUE(listPciCards(*host).empty());
  fs::remove_all(host->sys);
  EXPECT_EQ(refusal([&] { listPciCards(*host); }),
            "this host shows no PCI devices: there is no " + host->sys + "/bus/pci/devices");
}

TEST(PciAddress, is_told_from_anything_else) {
  EXPECT_EQ(pciAddress("0000:03:00.0"), "0000:03:00.0");
  EXPECT_EQ(pciAddress("03:1F.7"), "0000:03:1f.7");
  EXPECT_EQ(pciAddress("10000:e1:00.0"), "10000:e1:00.0");
  for (const char* text : {"", "3", "03:00", "03:00.8", "03:20.0", "0000:03:00.0x", " 03:00.0", "0000:03:00.0.0",
                           "sim:03:00.0", "+3:00.0", "03: 0.0", "0:0:0:0.0"})
    EXPECT_EQ(pciAddress(text), std::nullopt) << text;
}

// ---- registers by sysfs

using PciSysfsCard = Pci;

TEST_F(PciSysfsCard, registers_are_read_and_written_in_order) {
  host->addCard(kAddress);
  const auto card = open("03:00.0");
  EXPECT_EQ(card->name(), kAddress);
  EXPECT_EQ(run(*card, {Access::write(reg::kScratch, 1), Access::read(reg::kScratch), Access::write(reg::kScratch, 2),
                        Access::read(reg::kScratch), Access::read(reg::kMagic)}),
            (std::vector<std::uint32_t>{1, 2, card_map::kMagicValue}));
  EXPECT_EQ(refusal([&] { run(*card, {Access::read(0x10'0000)}); }), "there is no register at BAR0 + 0x100000");
  EXPECT_EQ(refusal([&] { run(*card, {Access::write(2, 0)}); }), "there is no register at BAR0 + 0x00002");
}

TEST_F(PciSysfsCard, has_registers_only_and_says_so) {
  host->addCard(kAddress);
  const auto card = open();
  EXPECT_FALSE(card->capabilities().dma);
  EXPECT_EQ(card->capabilities().vectors, 0U);
  EXPECT_TRUE(card->vectors().empty());
  EXPECT_EQ(refusal([&] { card->allocate(4096); }),
            "the card at 0000:03:00.0 is reached by its registers only: it cannot share memory (bind vfio-pci)");
}

TEST_F(PciSysfsCard, is_reset_through_its_attribute) {
  host->addCard(kAddress);
  const auto card = open();
  EXPECT_EQ(refusal([&] { card->reset(); }), "the card at 0000:03:00.0 cannot be reset: No such file or directory");
  host->set(kAddress, "reset", "");
  card->reset();
  EXPECT_EQ(host->get(kAddress, "reset"), "1");
}

TEST_F(PciSysfsCard, that_was_disabled_is_enabled_while_it_is_owned) {
  host->addCard(kAddress);
  host->set(kAddress, "enable", "0");
  {
    const auto card = open();
    EXPECT_EQ(host->get(kAddress, "enable").at(0), '1');
  }
  EXPECT_EQ(host->get(kAddress, "enable").at(0), '0');
  host->set(kAddress, "enable", "1");
  open();
  EXPECT_EQ(host->get(kAddress, "enable"), "1") << "it was not ours to disable";
}

TEST_F(PciSysfsCard, with_its_memory_space_disabled_is_refused) {
  host->addCard(kAddress);
  FakeHost::write(host->device(kAddress) + "/config", std::string(64, '\0'));
  EXPECT_EQ(refused(), "the card at 0000:03:00.0 has its memory space disabled");
  host->set(kAddress, "power_state", "D3hot");
  EXPECT_EQ(refused(), "the card at 0000:03:00.0 has its memory space disabled (power state D3hot)");
}

TEST_F(PciSysfsCard, that_is_not_there_or_another_device_is_refused) {
  host->addDevice("0000:04:00.0", "0x8086", "0x1533");
  EXPECT_EQ(refused("0000:05:00.0"), "there is no PCI device at 0000:05:00.0");
  EXPECT_EQ(refused("04:00.0"), "the device at 0000:04:00.0 (8086:1533) is no poplink card");
  EXPECT_EQ(refused("eth0"), "'eth0' is no PCI address, as 0000:03:00.0");
}

TEST_F(PciSysfsCard, with_a_bar_that_does_not_fit_is_refused) {
  host->addCard(kAddress);
  fs::resize_file(host->device(kAddress) + "/resource0", 65'536);
  EXPECT_EQ(refused(), "the card at 0000:03:00.0 has a BAR 0 of only 65536 bytes");
  fs::remove(host->device(kAddress) + "/resource0");
  EXPECT_EQ(refused(), "the card at 0000:03:00.0 has no memory BAR 0");
}

TEST_F(PciSysfsCard, that_the_host_keeps_from_us_is_refused_with_what_helps) {
  host->addCard(kAddress);
  const std::string mapped = "the registers of the card at 0000:03:00.0 cannot be mapped: ";
  host->open_errors[host->device(kAddress) + "/resource0"] = EACCES;
  EXPECT_EQ(refused(), mapped + "no permission (run as root, or bind vfio-pci)");
  host->open_errors.clear();
  host->map_error = EPERM;
  EXPECT_EQ(refused(), mapped + "no permission (run as root, or bind vfio-pci)");
  FakeHost::write(host->sys + "/kernel/security/lockdown", "[none] integrity confidentiality\n");
  EXPECT_EQ(refused(), mapped + "no permission (run as root, or bind vfio-pci)");
  FakeHost::write(host->sys + "/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_EQ(refused(), mapped + "the kernel's lockdown (integrity) forbids it: bind vfio-pci");
  host->map_error = EINVAL;
  EXPECT_EQ(refused(), mapped + "Invalid argument");
}

TEST_F(PciSysfsCard, that_a_driver_holds_is_refused_with_its_name) {
  host->addCard(kAddress);
  host->link(kAddress, "driver", "/sys/bus/pci/drivers/xdma");
  EXPECT_EQ(refused(), "the card at 0000:03:00.0 is held by the kernel's driver xdma: unbind it, best bind vfio-pci");
  host->link(kAddress, "driver", "/sys/bus/pci/drivers/uio_pci_generic");
  EXPECT_EQ(refused(), "");
}

TEST_F(PciSysfsCard, has_one_owner_who_is_named_to_others) {
  host->addCard(kAddress);
  host->addCard("0000:04:00.0");
  auto card = open();
  EXPECT_EQ(refused(), "the card at 0000:03:00.0 is held by a test (process 1)");
  EXPECT_EQ(refused("0000:04:00.0"), "") << "another card is another's";
  card.reset();
  EXPECT_EQ(refused(), "");
}

TEST_F(PciSysfsCard, is_free_when_its_owner_was_killed) {
  host->addCard(kAddress);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto card = openPciCard(kAddress, "the child\x1b", {}, host);
    if (::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(refused(), "the card at 0000:03:00.0 is held by the child?") << "nothing plays with a terminal";
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  EXPECT_EQ(listPciCards(*host).at(0).owner, "");
  EXPECT_EQ(refused(), "");
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(PciSysfsCard, lock_that_cannot_be_had_is_named) {
  host->addCard(kAddress);
  const std::string lock = host->lock;
  host->lock += "/not/there";
  EXPECT_THAT(refused(), HasSubstr("poplink-0000:03:00.0.lock, cannot be had: No such file or directory"));
  host->lock = lock;
  fs::create_symlink("/etc/passwd", host->lock + "/poplink-0000:03:00.0.lock");
  EXPECT_THAT(refused(), HasSubstr("cannot be had: Too many levels of symbolic links")) << "no file of others";
}

TEST_F(PciSysfsCard, that_is_gone_is_told_from_a_register_of_ones) {
  host->addCard(kAddress);
  const auto card = open();
  EXPECT_EQ(run(*card, {Access::write(reg::kScratch, kGone), Access::read(reg::kScratch)}).at(0), kGone);
  host->removeCard(kAddress);
  EXPECT_EQ(refusal([&] { run(*card, {Access::read(reg::kStatus)}); }), "the card at 0000:03:00.0 is gone");
  run(*card, {Access::write(reg::kScratch, 1)});
}

// ---- by serial number

using PciSerial = Pci;

TEST_F(PciSerial, finds_its_card_wherever_it_is_plugged) {
  host->addCard("0000:03:00.0", 3);
  host->addCard("0000:82:00.0", 4);
  EXPECT_EQ(openPciCardBySerial(4, "me", {}, host)->name(), "0000:82:00.0");
  EXPECT_EQ(refusal([&] { openPciCardBySerial(0x5, "me", {}, host); }),
            "there is no card with serial number 0000000000000005 among 2 of this host");
}

TEST_F(PciSerial, cards_that_only_vfio_reaches_are_asked_by_it) {
  host->addCard("0000:03:00.0", 3);
  host->addCard("0000:82:00.0");
  host->bindVfio("0000:82:00.0");
  host->open_errors[host->device("0000:82:00.0") + "/resource0"] = EACCES;
  EXPECT_EQ(openPciCardBySerial(FakeHost::kSerial, "me", {}, host)->name(), "0000:82:00.0");
  const auto owner = openPciCard("0000:82:00.0", "somebody", {}, host);
  EXPECT_EQ(refusal([&] { openPciCardBySerial(FakeHost::kSerial, "me", {}, host); }),
            "there is no card with serial number 504c000000000007 among 2 of this host; the card at 0000:82:00.0 is "
            "held by somebody");
}

// ---- by vfio

class PciVfio : public Pci {
 protected:
  PciVfio() {
    host->addCard(kAddress);
    host->bindVfio(kAddress);
  }
  void fail(unsigned long request, int error) const { host->vfio.errors[request] = error; }
};

TEST_F(PciVfio, registers_are_those_of_the_device) {
  const auto card = open();
  EXPECT_EQ(run(*card, {Access::read(reg::kMagic), Access::write(reg::kScratch, 5), Access::read(reg::kScratch)}),
            (std::vector<std::uint32_t>{card_map::kMagicValue, 5}));
  EXPECT_TRUE(card->capabilities().dma);
  EXPECT_EQ(card->capabilities().vectors, 9U);
  EXPECT_EQ(host->command(), 0x2) << "memory space, and no bus master while nobody wants one";
}

TEST_F(PciVfio, memory_is_zeroed_mapped_and_given_back) {
  const auto card = open();
  auto memory = card->allocate(5000);
  EXPECT_EQ(host->command(), 0x6);
  ASSERT_EQ(memory->bytes().size(), 8192U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->bytes().data()) % 4096, 0U);
  for (const std::uint8_t byte : memory->bytes()) ASSERT_EQ(byte, 0);
  ASSERT_EQ(host->mapped.size(), 1U);
  const auto& map = host->mapped.at(memory->busAddress());
  EXPECT_EQ(map.vaddr, reinterpret_cast<std::uintptr_t>(memory->bytes().data()));
  EXPECT_EQ(map.size, 8192U);
  EXPECT_EQ(map.flags, static_cast<std::uint32_t>(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE));
  const std::uint64_t address = memory->busAddress();
  const auto second = card->allocate(4096);
  EXPECT_GT(second->busAddress(), address + 8192) << "a page between belongs to nobody";
  memory.reset();
  EXPECT_EQ(host->mapped.size(), 1U);
  EXPECT_EQ(card->allocate(8192)->busAddress(), address);
}

TEST_F(PciVfio, bus_addresses_keep_to_what_the_iommu_allows) {
  host->vfio.ranges = {{0x10'0000, 0x10'3FFF}, {0xF000'0000, 0xF000'1FFF}, {0x1'0000'0000, 0xFF'FFFF'FFFF}};
  const auto card = open();
  const auto first = card->allocate(16'384);
  EXPECT_EQ(first->busAddress(), 0x10'0000U);
  const auto second = card->allocate(1);
  EXPECT_EQ(second->busAddress(), 0xF000'0000U);
  EXPECT_EQ(refusal([&] { card->allocate(4096); }),
            "the card at 0000:03:00.0 has no bus addresses left for 4096 bytes");
}

TEST_F(PciVfio, iommu_with_larger_pages_gets_whole_ones) {
  host->vfio.page_sizes = 0x1'0000;
  const auto card = open();
  const auto memory = card->allocate(5000);
  EXPECT_EQ(memory->bytes().size(), 0x1'0000U);
  EXPECT_EQ(memory->busAddress() % 0x1'0000, 0U);
}

TEST_F(PciVfio, memory_that_is_not_to_be_had_is_refused_and_leaves_nothing) {
  const auto card = open();
  fail(VFIO_IOMMU_MAP_DMA, ENOMEM);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(refusal([&] { card->allocate(4096); }),
              "the card at 0000:03:00.0 cannot share 4096 bytes: Cannot allocate memory (more locked memory than the "
              "limit, ulimit -l, allows?)");
  }
  host->vfio.errors.clear();
  EXPECT_EQ(card->allocate(4096)->busAddress(), 0x10'0000U) << "the addresses are free again";
  EXPECT_EQ(refusal([&] { card->allocate(0); }), "no card can share 0 bytes of memory");
}

TEST_F(PciVfio, running_over_the_end_of_memory_is_stopped) {
  const auto card = open();
  const auto memory = card->allocate(4096);
  std::uint8_t* const bytes = memory->bytes().data();
  EXPECT_DEATH({ *static_cast<volatile std::uint8_t*>(bytes + 4096) = 1; }, "");
  EXPECT_DEATH({ *static_cast<volatile std::uint8_t*>(bytes - 1) = 1; }, "");
}

TEST_F(PciVfio, memory_may_outlive_its_transport) {
  auto card = open();
  const auto memory = card->allocate(4096);
  card.reset();
  memory->bytes()[0] = 1;
  EXPECT_EQ(refused(), "") << "the card is free";
}

TEST_F(PciVfio, vectors_are_polled_each_by_itself) {
  const auto card = open();
  const std::span<const int> vectors = card->vectors();
  ASSERT_EQ(vectors.size(), 9U);
  EXPECT_EQ(host->events, std::vector<int>(vectors.begin(), vectors.end()));
  EXPECT_EQ(host->command(), 0x6);
  ASSERT_EQ(::eventfd_write(host->events[4], 1), 0);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    pollfd one{vectors[i], POLLIN, 0};
    EXPECT_EQ(::poll(&one, 1, 0), i == 4 ? 1 : 0) << i;
  }
  EXPECT_EQ(card->vectors().data(), vectors.data()) << "set up once";
}

TEST_F(PciVfio, without_interrupts_there_are_no_vectors) {
  host->vfio.vectors = 0;
  const auto card = open();
  EXPECT_TRUE(card->vectors().empty());
  EXPECT_EQ(card->capabilities().vectors, 0U);
  host->vfio.vectors = 9;
  fail(VFIO_DEVICE_SET_IRQS, ENOSPC);
  EXPECT_EQ(refusal([&] { card->vectors(); }), "the card at 0000:03:00.0 gets no interrupts: No space left on device");
}

TEST_F(PciVfio, is_reset_by_the_kernel) {
  const auto card = open();
  card->reset();
  EXPECT_EQ(host->resets, 1);
  fail(VFIO_DEVICE_RESET, ENOTTY);
  EXPECT_THAT(refusal([&] { card->reset(); }), HasSubstr("cannot be reset: "));
}

TEST_F(PciVfio, what_is_in_the_way_is_named) {
  const std::string card = "the card at 0000:03:00.0 ";
  const std::string group = host->dev + "/vfio/7";
  host->open_errors[host->dev + "/vfio/vfio"] = ENOENT;
  EXPECT_EQ(refused(), card + host->dev + "/vfio/vfio: No such file or directory (is vfio-pci loaded?)");
  host->open_errors = {{group, EACCES}};
  EXPECT_EQ(refused(), card + "is not ours to open: no permission for " + group + " (chown it, or run as root)");
  host->open_errors = {{group, ENOENT}};
  EXPECT_EQ(refused(), card + "cannot be opened: " + group + ": No such file or directory");
  host->open_errors = {{group, EBUSY}};
  EXPECT_EQ(refused(), card + "is held by another program, which has its IOMMU group 7");
  const int user = ::open(group.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(refused(),
            card + "is held by pci_test (process " + std::to_string(::getpid()) + "), which has its IOMMU group 7");
  ::close(user);
  host->open_errors.clear();
  host->vfio.viable = false;
  EXPECT_EQ(refused(), card + "shares its IOMMU group 7 with devices that drivers hold");
  host->addDevice("0000:03:00.1", "0x8086", "0x1533");
  host->bindVfio("0000:03:00.1");
  host->link("0000:03:00.1", "driver", "/sys/bus/pci/drivers/igb");
  EXPECT_EQ(refused(), card + "shares its IOMMU group 7 with devices that drivers hold: 0000:03:00.1 by igb");
  host->vfio.viable = true;
  fail(VFIO_SET_IOMMU, EPERM);
  EXPECT_THAT(refused(), HasSubstr("allow_unsafe_interrupts=1"));
  host->vfio.errors = {{VFIO_CHECK_EXTENSION, EINVAL}};
  EXPECT_THAT(refused(), HasSubstr("is vfio_iommu_type1 loaded?"));
  host->vfio.errors = {{VFIO_GROUP_GET_DEVICE_FD, ENODEV}};
  EXPECT_EQ(refused(), card + "cannot be opened by vfio: No such device");
  host->vfio.errors.clear();
  host->vfio.bar_bytes = 4096;
  EXPECT_EQ(refused(), card + "has a BAR 0 of only 4096 bytes");
  host->vfio.bar_bytes = 0;
  EXPECT_EQ(refused(), card + "has no memory BAR 0");
  fs::remove(host->device(kAddress) + "/iommu_group");
  EXPECT_THAT(refused(), HasSubstr("has no IOMMU group: enable the host's IOMMU"));
}

TEST_F(PciVfio, refused_card_is_free_for_the_next) {
  fail(VFIO_GROUP_GET_DEVICE_FD, ENODEV);
  EXPECT_NE(refused(), "");
  host->vfio.errors.clear();
  EXPECT_EQ(refused(), "");
}

// ---- physical addresses

class PciPhysical : public PciVfio {
 protected:
  /// What this process is shown of its memory.
  static bool shown() {
    const auto page = std::make_unique<std::uint8_t[]>(8192);
    page[4096] = 1;
    const int map = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    std::uint64_t entry = 0;
    const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(page.get() + 4096) / 4096 * 8);
    const bool read = map >= 0 && ::pread(map, &entry, 8, at) == 8;
    ::close(map);
    return read && (entry & ((std::uint64_t{1} << 55) - 1)) != 0;
  }
};

TEST_F(PciPhysical, memory_is_where_the_kernel_says) {
  const auto card = open(kAddress, {true});
  if (!shown()) {
    EXPECT_EQ(refusal([&] { card->allocate(64); }),
              "physical addresses of memory are not shown to this program (it needs CAP_SYS_ADMIN)");
    return;
  }
  const auto memory = card->allocate(64);
  EXPECT_EQ(memory->bytes().size(), 4096U);
  EXPECT_EQ(memory->busAddress() % 4096, 0U);
  EXPECT_NE(memory->busAddress(), 0U);
  EXPECT_EQ(host->mapped.at(memory->busAddress()).vaddr, reinterpret_cast<std::uintptr_t>(memory->bytes().data()));
  const auto other = card->allocate(64);
  EXPECT_NE(other->busAddress(), memory->busAddress());
}

TEST_F(PciPhysical, address_that_the_iommu_reserves_is_refused) {
  // Without it there is no address to reserve, and what then is said is the test above's.
  if (!shown()) GTEST_SKIP() << "physical addresses are not shown to this program: needs CAP_SYS_ADMIN";
  host->vfio.ranges = {{0, 0xFFF}};
  const auto card = open(kAddress, {true});
  EXPECT_EQ(refusal([&] { card->allocate(64); }),
            "the card at 0000:03:00.0 cannot be given memory at its physical address: the IOMMU reserves it");
  EXPECT_TRUE(host->mapped.empty());
}

// ---- bus addresses

TEST(IovaSpace, gives_what_nobody_has_with_a_page_between) {
  IovaSpace space({{0, 0x10'6FFF}}, 4096);
  EXPECT_EQ(space.take(0), std::nullopt);
  const auto first = space.take(4096), second = space.take(4097), third = space.take(4096);
  EXPECT_EQ(first, 0x10'0000U) << "not the lowest ones";
  EXPECT_EQ(second, 0x10'2000U);
  EXPECT_EQ(third, 0x10'5000U);
  EXPECT_EQ(space.take(1), std::nullopt);
  space.give(*second);
  EXPECT_EQ(space.take(8193), std::nullopt) << "would touch the third";
  EXPECT_EQ(space.take(8192), second);
}

TEST(IovaSpace, keeps_to_whole_pages_of_its_ranges_below_4_gib) {
  IovaSpace space({{0xFFFF'E800, 0x1'FFFF'FFFF}, {0x20'0800, 0x20'17FF}, {0x30'0800, 0x30'1FFF}}, 4096);
  EXPECT_EQ(space.take(4096), 0x30'1000U);
  EXPECT_EQ(space.take(4096), 0xFFFF'F000U);
  EXPECT_EQ(space.take(4096), std::nullopt);
  EXPECT_EQ(IovaSpace({}, 4096).take(1), std::nullopt);
}

}  // namespace
}  // namespace poplink::driver
