#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`poplink card`: the cards of a host, one on a simulated bus and those of a tree like sysfs; registers by name."""
import json
import pathlib
import struct
import unittest

from lab_case import HOUSE, CardClient, LabCase

USAGE, CONFIG, CARD = 1, 2, 3
CARD_MAP = json.loads((HOUSE / "tests" / "card" / "golden" / "card_map.json").read_text())
REGISTERS = {register["name"]: register for register in CARD_MAP["registers"]}
AT = {name: register["address"] for name, register in REGISTERS.items()}
BAR = 1 << 20


class CardCli(LabCase):
    def start(self) -> str:
        self.start_live({"a": {}})
        return f"sim:{self.socket('a')}"

    def said(self, *arguments: object, expect: int = 0) -> list[str]:
        run = self.poplink("card", *arguments, expect=expect)
        return (run.stdout if expect == 0 else run.stderr).splitlines()

    def json(self, *arguments: object) -> dict:
        return json.loads(self.poplink("card", *arguments, "--json").stdout)

    # ---- a host's tree of PCI devices

    def host(self) -> pathlib.Path:
        root = self.directory / "host"
        (root / "sys/bus/pci/devices").mkdir(parents=True)
        (root / "run/lock").mkdir(parents=True)
        return root

    def plug(self, root: pathlib.Path, address: str, registers: dict[int, int]) -> pathlib.Path:
        device = root / "sys/bus/pci/devices" / address
        device.mkdir()
        for name, text in {"vendor": "0x10ee", "device": "0x504c", "class": "0x028000", "revision": "0x01",
                           "subsystem_vendor": "0x10ee", "subsystem_device": "0x504c", "irq": "11", "numa_node": "0", "enable": "1",
                           "current_link_speed": "8.0 GT/s PCIe", "current_link_width": "8", "max_link_speed": "8.0 GT/s PCIe",
                           "max_link_width": "16"}.items():
            (device / name).write_text(text + "\n")
        (device / "resource").write_text("0x00000000fe000000 0x00000000fe0fffff 0x0000000000040200\n" + "0x0 0x0 0x0\n" * 12)
        (device / "config").write_bytes(struct.pack("<HHHH", 0x10EE, 0x504C, 2, 0) + bytes(56))
        (device / "resource0").write_bytes(bytes(BAR))
        with (device / "resource0").open("r+b") as bar:
            for at, value in registers.items():
                bar.seek(at)
                bar.write(struct.pack("<I", value))
        return device

    @staticmethod
    def registers(serial: int) -> dict[int, int]:
        """What a card needs to be taken for one."""
        version = CARD_MAP["version"]
        return {AT["magic"]: REGISTERS["magic"]["fields"][0]["reset"], AT["version"]: version["major"] << 16 | version["minor"],
                AT["geometry"]: 512 << 16 | 8, AT["serial_low"]: serial & 0xFFFFFFFF, AT["serial_high"]: serial >> 32}

    def bus(self) -> pathlib.Path:
        root = self.host()
        self.plug(root, "0000:82:00.0", self.registers(0x504C000000000009))
        device = self.plug(root, "0000:03:00.0", self.registers(0x504C000000000007))
        (device / "driver").symlink_to("/sys/bus/pci/drivers/uio_pci_generic")
        (device / "iommu_group").symlink_to("/sys/kernel/iommu_groups/12")
        return root

    # ---- list

    def test_list_shows_the_cards_of_the_host(self) -> None:
        root = self.bus()
        self.assertEqual(self.said("list", "--root", root), [
            "address       id         serial            link              driver           iommu_group  owner",
            "0000:03:00.0  10ee:504c  504c000000000007  8.0 GT/s PCIe x8  uio_pci_generic  12           -",
            "0000:82:00.0  10ee:504c  504c000000000009  8.0 GT/s PCIe x8  -                -            -"])
        first, second = self.json("list", "--root", root)["cards"]
        self.assertEqual(first, {
            "address": "0000:03:00.0", "id": "10ee:504c", "subsystem": "10ee:504c", "class": "028000", "revision": 1,
            "serial": "504c000000000007", "link": {"speed": "8.0 GT/s PCIe", "width": 8},
            "max_link": {"speed": "8.0 GT/s PCIe", "width": 16}, "numa_node": 0, "iommu_group": 12, "driver": "uio_pci_generic",
            "owner": None})
        self.assertEqual((second["driver"], second["iommu_group"]), (None, None))

    def test_list_of_a_host_without_cards_or_without_a_bus(self) -> None:
        root = self.host()
        self.assertEqual(self.said("list", "--root", root), ["no cards"])
        self.assertEqual(self.json("list", "--root", root), {"cards": []})
        nowhere = self.directory / "nowhere"
        self.assertEqual(self.said("list", "--root", nowhere, expect=CARD),
                         [f"poplink: this host shows no PCI devices: there is no {nowhere}/sys/bus/pci/devices"])

    # ---- info

    def test_info_of_a_simulated_card(self) -> None:
        card = self.start()
        about = self.json("info", card)
        self.assertEqual({key: about[key] for key in ("card", "serial", "ready", "ports", "data_width", "core_clock_khz", "dma", "pci")},
                         {"card": str(self.socket("a")), "serial": "0000000000000001", "ready": True, "ports": 8, "data_width": 512,
                          "core_clock_khz": 250000, "dma": True, "pci": None})
        self.assertEqual(about["interrupt_vectors"], 9)
        self.assertRegex(about["register_map"], r"^\d+\.\d+$")
        self.assertGreater(about["forward_latency_cycles"], 10)
        lines = self.said("info", card)
        self.assertEqual(lines[0], f"card                    {self.socket('a')}")
        self.assertIn("ready                   yes", lines)
        self.assertEqual(len(lines), len(about) - 1)
        self.assertEqual(self.said("info", "--node", self.node("a")), lines)

    def test_info_of_a_card_on_a_bus_by_address_by_serial_number_and_by_node_file(self) -> None:
        root = self.bus()
        about = self.json("info", "82:00.0", "--root", root)
        self.assertEqual((about["card"], about["serial"], about["dma"], about["interrupt_vectors"]),
                         ("0000:82:00.0", "504c000000000009", False, 0))
        self.assertEqual(about["pci"]["link"], {"speed": "8.0 GT/s PCIe", "width": 8})
        self.assertEqual(self.json("info", "serial:504c000000000009", "--root", root), about)
        node = self.directory / "pci.node.yaml"
        node.write_text("{site: a, card: 0, transport: pci, serial: 504c000000000009}\n")
        self.assertEqual(self.json("info", "--node", node, "--root", root), about)
        node.write_text("{site: a, card: 0, transport: pci, address: 0000:82:00.0}\n")
        self.assertEqual(self.json("info", "--node", node, "--root", root), about)
        self.assertIn("link                    8.0 GT/s PCIe x8", self.said("info", "82:00.0", "--root", root))

    def test_cards_that_are_none_are_named(self) -> None:
        root = self.bus()
        self.assertEqual(self.said("info", "0000:05:00.0", "--root", root, expect=CARD), ["poplink: there is no PCI device at 0000:05:00.0"])
        self.assertEqual(self.said("info", "serial:5", "--root", root, expect=CARD),
                         ["poplink: there is no card with serial number 0000000000000005 among 2 of this host"])
        for wrong in ("eth0", "serial:", "serial:xyz", "sim:"):
            self.assertEqual(self.said("info", wrong, expect=USAGE),
                             [f"poplink: '{wrong}' is no card: neither a PCI address as 0000:03:00.0, nor serial:NUMBER, nor sim:SOCKET"])
        (root / "sys/bus/pci/devices/0000:82:00.0/resource0").write_bytes(bytes(BAR))
        self.assertEqual(self.said("info", "82:00.0", "--root", root, expect=CARD), ["poplink: the card at 0000:82:00.0 is not a poplink card"])
        (root / "sys/bus/pci/devices/0000:82:00.0/resource0").write_bytes(b"\xFF" * BAR)
        self.assertEqual(self.said("info", "82:00.0", "--root", root, expect=CARD), ["poplink: the card at 0000:82:00.0 is gone"])
        for arguments in (("info",), ("regs",), ("info", "03:00.0", "82:00.0")):
            self.assertIn("CARD or --node", "".join(self.said(*arguments, expect=USAGE)))
        node = self.directory / "none.node.yaml"
        node.write_text("{site: a, card: 0, transport: none}\n")
        self.assertEqual(self.said("info", "--node", node, expect=CARD), ["poplink: there is no card here (transport none)"])

    def test_card_that_is_held_is_said_so(self) -> None:
        card = self.start()
        with CardClient(self.socket("a"), "maintenance"):
            self.assertEqual(self.said("regs", card, expect=CARD), [f"poplink: the card at {self.socket('a')} is held by maintenance"])

    # ---- regs

    def test_regs_shows_every_register_with_its_fields(self) -> None:
        card = self.start()
        lines = self.said("regs", card)
        self.assertEqual(lines[0].split(), ["register", "address", "value", "fields"])
        self.assertRegex(lines[1], r"^magic +0x00000 +0x4c504f50$")
        self.assertIn(["geometry", "0x00008", "0x02000008", "ports", "8,", "data_width", "512"], [line.split() for line in lines])
        self.assertIn(["port_control[15]", "0x0103c", "0x00000001", "enable", "1"], [line.split() for line in lines])
        shown = self.json("regs", card)
        self.assertEqual(shown["card"], str(self.socket("a")))
        self.assertEqual(len(shown["registers"]), len(lines) - 1)
        self.assertEqual(shown["registers"][2], {"register": "geometry", "index": None, "address": 8, "value": 0x02000008,
                                                 "fields": {"ports": 8, "data_width": 512}})

    def test_regs_are_shown_and_written_by_name(self) -> None:
        card = self.start()
        self.assertEqual([line.split()[0] for line in self.said("regs", card, "status", "port_control[3]", "hash_mode.symmetric")[1:]],
                         ["status", "port_control[3]", "hash_mode"])
        self.assertEqual(len(self.said("regs", card, "port_status")), 17)
        self.assertEqual(self.said("regs", card, "scratch=0xCAFE0001", "scratch=7", "port_control[3].enable=0")[1:],
                         ["scratch          0x00020  0xcafe0001", "scratch          0x00020  0x00000007",
                          "port_control[3]  0x0100c  0x00000000  enable 0"])
        self.assertEqual([one["value"] for one in self.json("regs", card, "port_control")["registers"]], [1, 1, 1] + [0] + [1] * 12)
        self.assertEqual([port["transmit"] for port in self.show("port", "a")], ["enabled"] * 3 + ["disabled"] + ["enabled"] * 4)
        (one,) = self.json("regs", "--node", self.node("a"), "hash_mode=1")["registers"]
        self.assertEqual(one["fields"]["symmetric"], 1)

    def test_field_is_written_and_its_neighbours_stay(self) -> None:
        card = self.start()
        self.said("regs", card, "table_select=0", "table_index=5", "table_command.increment=1")
        (one,) = self.json("regs", card, "table_command.read=1")["registers"]
        self.assertEqual(one["fields"], {"increment": 1}, "and what only starts something does not show")
        self.assertEqual(self.json("regs", card, "table_index")["registers"][0]["value"], 6, "the access was done once")

    def test_wrong_registers_are_refused_before_anything_is_written(self) -> None:
        card = self.start()
        for wrong, said in {
                "port_contrl[0]=0": "the card has no register 'port_contrl'; did you mean port_control?",
                "hash": "the card has no register 'hash'; did you mean hash_mode, hash_seed?",
                "zzzzzzzz": "the card has no register 'zzzzzzzz'",
                "hash_mode.symetric=1": "register hash_mode has no field 'symetric'; did you mean symmetric?",
                "status[0]": "'status[0]': status is a single register",
                "port_control[16]": "'port_control[16]': port_control has the indices 0 to 15",
                "port_control[x]": "'port_control[x]': port_control has the indices 0 to 15",
                "port_control[1": "'port_control[1' is no register: its index has no end",
                "port_control=1": "port_control are 16 registers: say which, as port_control[0]",
                "magic=1": "magic cannot be written",
                "status.ready=0": "status.ready cannot be written",
                "port_control[0]=2": "2 has bits that cannot be written: of port_control[0], those of 0x1 can",
                "port_control[0].enable=2": "2 does not fit the 1 bits of port_control[0].enable",
                "scratch=0x100000000": "0x100000000 does not fit the 32 bits of scratch",
                "scratch=much": "'much' is no value for scratch: a number, or 0x and hexadecimal digits",
                "scratch=": "'' is no value for scratch: a number, or 0x and hexadecimal digits"}.items():
            self.assertEqual(self.said("regs", card, "scratch=5", wrong, expect=USAGE), [f"poplink: {said}"])
        self.assertEqual(self.json("regs", card, "scratch")["registers"][0]["value"], 0)


if __name__ == "__main__":
    unittest.main()
