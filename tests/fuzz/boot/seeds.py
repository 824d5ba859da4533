#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Writes the seeds of the loader's fuzzers: seeds.py FOLDER IMAGE... makes FOLDER/NAME/ of each.

Of each IMAGE, a real PE file, only the headers are taken, with sections and certificates made small.
"""
import hashlib
import os
import struct
import sys
import zlib

BASE, PAGE = 0x100000, 4096

CONFIG = (
    "next = \\EFI\\debian\\shimx64.efi\noptions = a b\ninitrd = \\initrd\nlog_level = debug\n",
    "# comment\n\nconsole = serial debugcon\r\nserial_port = 0x2f8\nserial = keep\n",
    "panic = halt\nmitigations = on\niommu = off\nlog_level = warn\n",
    "panic = reset\nmitigations = auto\niommu = auto\nserial = release\nconsole = none\n",
    "next = \\a\\..\\b\nnext = \\a\nbogus\n= 1\noptions =\nserial_port = 99\n",
)


def table(signature, body, length=None):
    length = 36 + len(body) if length is None else length
    return signature + struct.pack("<I", length) + bytes(28) + body


def acpi(wide):
    memory = bytearray(1200)
    rsdp = b"RSD PTR " + bytes(7) + bytes([2 if wide else 0])
    rsdp += struct.pack("<IIQ", BASE + 64, 36, BASE + 64 if wide else 0) + bytes(4)
    memory[:len(rsdp)] = rsdp
    entry = "<Q" if wide else "<I"
    root = table(b"XSDT" if wide else b"RSDT", struct.pack(entry, BASE + 256) + struct.pack(entry, BASE + 128))
    memory[64:64 + len(root)] = root
    madt = table(b"APIC", bytes(8) + struct.pack("<BBBBI", 0, 8, 0, 3, 1) + struct.pack("<BBHIII", 9, 16, 0, 77, 1, 0))
    memory[128:128 + len(madt)] = madt
    fadt = bytearray(276)
    fadt[:8] = b"FACP" + struct.pack("<I", 276)
    struct.pack_into("<I", fadt, 40, BASE + 1024)
    struct.pack_into("<II", fadt, 64, 0x604, 0)
    struct.pack_into("<I", fadt, 112, 1 << 10)
    struct.pack_into("<BBBBQB", fadt, 116, 1, 8, 0, 1, 0xcf9, 6)
    struct.pack_into("<BBBBQ", fadt, 172, 1, 16, 0, 2, 0x1804)
    memory[256:256 + 276] = fadt
    dsdt = table(b"DSDT", b"\x08_S5_\x12\x06\x04\x0a\x05\x0a\x05" + b"\x08_HID\x0dMSFT0101\0")
    memory[1024:1024 + len(dsdt)] = dsdt
    return b"\x01" + memory


def scope(kind, bus, *path):
    return struct.pack("<BB3xB", kind, 6 + len(path), bus) + bytes(path)


def structure(kind, body):
    return struct.pack("<HH", kind, 4 + len(body)) + body


def drhd(flags, size, segment, base, *scopes):
    return structure(0, struct.pack("<BBHQ", flags, size, segment, base) + b"".join(scopes))


def rmrr(base, limit, *scopes):
    return structure(1, struct.pack("<4xQQ", base, limit) + b"".join(scopes))


def dmar(*structures):
    """What tests/fuzz/boot/iommu_fuzz.c reads; it puts signature, length and checksum right."""
    return b"\0" + table(b"DMAR", bytes([38, 1]) + bytes(10) + b"".join(structures))


def select(kind, device):
    return struct.pack("<BHB", kind, device, 0)


def special(kind, device, source):
    return struct.pack("<BHBBHB", kind, device, 0, 0, source, 1)


def named(device, name):
    return struct.pack("<BHB8s8sBB", 0xf0, device, 0, b"AMDI0020", b"", 2, len(name)) + name


def ivhd(kind, device, base, *entries, features=0x48000):
    extended = b"" if kind == 0x10 else struct.pack("<QQ", 0x200, 0)
    body = struct.pack("<HHQHHI", device, 0x40, base, 0, 0, features) + extended + b"".join(entries)
    return struct.pack("<BBH", kind, 0xb0, 4 + len(body)) + body


def ivmd(kind, base, length):
    return struct.pack("<BBHHHQQQ", kind, 7, 32, 0x60, 0, 0, base, length)


def ivrs(*blocks, kind=1):
    return bytes([kind]) + table(b"IVRS", struct.pack("<IQ", 0x203043, 0) + b"".join(blocks))


ENTRIES = (select(3, 3), select(4, 0xfffe), special(0x43, 0xff00, 0xa5), select(4, 0xffff), select(0, 0),
           special(0x48, 0, 0xa0), special(0x48, 0, 1))
# QEMU's own, a laptop's and a server's structures; both tables; registers that overlap.
IOMMU = (
    dmar(drhd(0, 0, 0, 0xfed90000, scope(3, 0xff, 0, 0), scope(1, 0, 2, 0), scope(2, 0, 3, 0)),
         structure(2, struct.pack("<BxH", 1, 0))),
    dmar(drhd(0, 0, 0, 0xfed90000, scope(1, 0, 2, 0)),
         drhd(1, 0, 0, 0xfed91000, scope(3, 0xf0, 0x1f, 0), scope(4, 0, 0xf, 0), scope(5, 0, 0x17, 0)),
         rmrr(0xa2ef2000, 0xa2f02fff, scope(1, 0, 0x1d, 0), scope(1, 0, 0x14, 0)),
         structure(4, bytes(3) + b"\2\\_SB.PCI0.SDHC\0")),
    dmar(drhd(0, 1, 1, 0xe0ffc000, scope(2, 0x80, 2, 0, 1, 0)), drhd(0, 0, 0, 0xd37fc000, scope(2, 0x80, 2, 0)),
         drhd(1, 0, 0, 0xc5ffc000), structure(3, struct.pack("<4xQI", 0xc5ffc000, 1)),
         structure(5, struct.pack("<BxH", 0, 0) + scope(1, 0, 0x14, 0)), structure(7, bytes(12))),
    dmar(drhd(0, 0, 0, 0xfed90000, scope(1, 0, 2, 0)), drhd(0, 0, 0, 0xfed91000, scope(1, 0, 2, 0))),
    dmar(drhd(0, 1, 0, 0xfed90000), drhd(0, 0, 0, 0xfed91000)),
    ivrs(ivhd(0x10, 0x18, 0xfed80000, select(2, 0), select(2, 8), special(0x48, 0, 0xa0), features=0)),
    ivrs(ivhd(0x10, 2, 0xfd200000, *ENTRIES), ivhd(0x11, 2, 0xfd200000, *ENTRIES),
         ivmd(0x21, 0x87d90000, 0x100000), ivmd(0x22, 0x86000000, 0x20000), ivmd(0x20, 0xb6000000, 0x1000),
         ivhd(0x40, 2, 0xfd200000, *ENTRIES, named(0xa5, b"ID00"), named(0x60, b""))),
    ivrs(ivhd(0x11, 2, 0xb4100000, select(3, 3), select(4, 0x1fff)),
         ivhd(0x11, 0x2002, 0xe2100000, select(2, 0x2003), special(0x46, 0x2004, 0), select(0x85, 0), bytes(12)),
         ivhd(0x11, 0x4002, 0xc2100000, select(1, 0))),
    ivrs(ivhd(0x40, 2, 0xfed80000, named(0x60, b"a")), kind=3),
    ivrs(ivhd(0x10, 2, 0xfed80000), kind=9), ivrs(ivhd(0x10, 2, 0xfed80000), kind=17),
    dmar(*(drhd(0, 0, 0, 0xfed90000 + 4096 * i) for i in range(17))),
    dmar(*(rmrr(0xa0000000 + 4096 * i, 0xa0000fff + 4096 * i) for i in range(65))),
)


def monitor():
    content = bytearray(4 * PAGE)
    struct.pack_into("<Q8I6I", content, 0, int.from_bytes(b"RDTMONIT", "little"), 1, 1, 4 * PAGE,
                     5 * PAGE, PAGE, 2, 1, 1, PAGE, PAGE, 2 * PAGE, PAGE, 3 * PAGE, 2 * PAGE)
    return b"\x02" + content + struct.pack("<II", 2 * PAGE, 3 * PAGE + 8)


def pe():
    content = bytearray(0x400)
    content[:2] = b"MZ"
    struct.pack_into("<I", content, 0x3c, 0x40)
    struct.pack_into("<4sHH12xH", content, 0x40, b"PE\0\0", 0x8664, 2, 0xf0)
    struct.pack_into("<8s", content, 0x148, b".text")
    struct.pack_into("<8sII", content, 0x170, b".monvmx", 0x80, 0x300)
    return b"\x00" + content


def partition(name, block=b""):
    """A file of a secure partition: one page each of text and read-only data."""
    header = struct.pack("<Q10I32s", int.from_bytes(b"RDTRUST1", "little"), 1, PAGE, 3, 1, 1, 2, 1, 1,
                         0, 0, name)
    return header.ljust(PAGE, b"\0") + bytes(2 * PAGE) + block


def signature(algorithm, key, size):
    return struct.pack("<QIII12x", int.from_bytes(b"RDTSIGN1", "little"), algorithm, key, size) + bytes(key + size)


def partitions(*files):
    """How many, then each with its length before it, the last without."""
    sized = [struct.pack("<H", len(file)) + file for file in files[:-1]]
    return bytes([len(files)]) + b"".join(sized) + files[-1]


PARTITIONS = (
    partitions(partition(b"vtpm")),
    partitions(partition(b"vtpm", signature(1, 91, 64)), partition(b"cred", signature(2, 422, 384))),
    partitions(partition(b"cred"), partition(b"cred")),
)


def sized(data):
    return struct.pack(">H", len(data)) + data


def transcript(kind, *records):
    """What tests/fuzz/boot/root_seal_fuzz.c reads; responses are given behind a header."""
    return bytes([kind]) + b"".join(sized(record) for record in records)


SELECTION = bytes.fromhex("00000001000b03950000")
PCR_READ = b"\1" + bytes(4) + SELECTION + struct.pack(">I", 4) + 4 * sized(bytes(32))
HANDLE, DIGEST, EMPTY = b"\1\x80\0\0\1", b"\1" + sized(bytes(32)), b"\1"
OBJECT = sized(bytes(40)) + sized(bytes(30)) + sized(SELECTION + sized(hashlib.sha256(bytes(128)).digest()))
TICKET = bytes(6) + sized(bytes(8))
WITH_HANDLE, WITH_SIZE = HANDLE + bytes(4), b"\1" + struct.pack(">I", 35) + sized(bytes(32) + b"\1")
CREATED = OBJECT + sized(bytes(32)) + TICKET
ROOT_FILE = b"RDTROOT1" + bytes(128) + OBJECT + TICKET
OPENED = (PCR_READ, WITH_HANDLE, WITH_HANDLE, b"\1" + bytes(4), HANDLE, EMPTY, WITH_SIZE,
          *5 * [EMPTY], PCR_READ)
ROOT_SEAL = (
    transcript(0, ROOT_FILE + hashlib.sha256(ROOT_FILE).digest(), *OPENED),
    transcript(1, PCR_READ, HANDLE + sized(bytes(16)), EMPTY, DIGEST, WITH_HANDLE,
               b"\1" + struct.pack(">I", len(CREATED)) + CREATED, *4 * [EMPTY], PCR_READ),
    transcript(3, DIGEST, EMPTY, PCR_READ),
    transcript(7, b"\1" + bytes(4) + bytes.fromhex("00000001000b0300ff00") + struct.pack(">I", 8) + 8 * sized(bytes(32))),
    transcript(3, b"\0" + bytes.fromhex("80010000000a00000922"), DIGEST),
    transcript(3, b"\2" + bytes.fromhex("80010000200000000000") + sized(bytes(32))),
)


def events_log(algorithms, events, final):
    """What tests/fuzz/boot/tcg_replay_fuzz.c reads; of the events so many are final ones, too."""
    spec = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 105, 2, len(algorithms))
    spec += b"".join(struct.pack("<HH", *algorithm) for algorithm in algorithms) + b"\2ab"
    log = struct.pack("<II20xI", 0, 3, len(spec)) + spec
    raw = []
    for pcr, kind, data in events:
        digests = b"".join(struct.pack("<H", name) + bytes(size) for name, size in algorithms)
        raw.append(struct.pack("<III", pcr, kind, len(algorithms)) + digests + struct.pack("<I", len(data)) + data)
    last = len(log) + sum(len(event) for event in raw[:-1]) if raw else 0
    log += b"".join(raw)
    return struct.pack(">HHB", last, len(log), final) + log + b"".join(raw[len(raw) - final:])


SHA1, SHA256, OTHER = (4, 20), (11, 32), (0x7777, 5)
STARTED, VERSION, ENDED = (0, 3, b"StartupLocality\0\3"), (0, 8, b"v\0"), (4, 4, bytes(4))
EVENTS_LOGS = (
    events_log((SHA256,), (STARTED, VERSION, ENDED), 0),
    events_log((SHA1, OTHER, SHA256), (VERSION, ENDED, ENDED), 2),
    events_log((SHA1, SHA256), (VERSION, STARTED), 1),
    events_log((SHA256,), (), 0),
    events_log((SHA1,), (ENDED,), 0),
    events_log((SHA256, SHA256), (ENDED,), 0),
    events_log((SHA256,), ((16, 4, b""),), 0),
)


def gpt(kind, entries, entry_bytes, here=1, at=2, last=100):
    """What tests/fuzz/boot/gpt_fuzz.c reads: entries 0 and 2 are in use."""
    entry = bytes(range(1, 129)).ljust(entry_bytes, b"\0")
    contents = (entry + bytes(entry_bytes) + entry).ljust(entries * entry_bytes, b"\0")[:entries * entry_bytes]
    header = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, here, last, 34, last, b"disk", at, entries, entry_bytes,
                         zlib.crc32(contents))
    header = header[:16] + struct.pack("<I", zlib.crc32(header)) + header[20:]
    return struct.pack("<BQ", kind, last) + header.ljust(512 << (kind >> 1), b"\0") + contents


GPTS = (gpt(0, 4, 128), gpt(1, 4, 128), gpt(0, 3, 256), gpt(2, 4, 128), gpt(1, 512, 128)[:1000], gpt(0, 0, 128), gpt(0, 4, 192),
        gpt(0, 4, 128, here=9), gpt(0, 4, 128, at=100), gpt(0, 5, 128, at=100), gpt(0, 4, 128, at=1), gpt(0, 4, 128)[:-1])


def with_more(headers, size):
    """What tests/fuzz/boot/authenticode_fuzz.c reads: how many zeros come behind, then the rest."""
    return struct.pack("<H", size - len(headers)) + headers


def shrunk(data):
    """The headers of a PE file, its sections of 64 bytes each behind them, then certificates of 16."""
    pe, = struct.unpack_from("<I", data, 0x3c)
    count, optional_size = struct.unpack_from("<H", data, pe + 6)[0], struct.unpack_from("<H", data, pe + 20)[0]
    optional, table = pe + 24, pe + 24 + optional_size
    size = table + 40 * count
    headers = bytearray(data[:size])
    struct.pack_into("<I", headers, optional + 60, size)
    for at in range(table, size, 40):
        if struct.unpack_from("<I", headers, at + 16) != (0,):
            struct.pack_into("<II", headers, at + 16, 64, size)
            size += 64
    directory = optional + {0x10b: 96, 0x20b: 112}[struct.unpack_from("<H", data, optional)[0]] + 4 * 8
    if struct.unpack_from("<I", headers, directory + 4) != (0,):
        struct.pack_into("<II", headers, directory, size, 16)
        size += 16
    return with_more(bytes(headers), size)


def narrow():
    """PE32 with four directories, two sections in another order than in the table, bytes behind them."""
    headers = bytearray(0x130)
    headers[:2] = b"MZ"
    struct.pack_into("<I", headers, 0x3c, 0x40)
    struct.pack_into("<4sHH12xH", headers, 0x40, b"PE\0\0", 0x14c, 2, 128)
    struct.pack_into("<H58xI28xI", headers, 0x58, 0x10b, 0x130, 4)
    struct.pack_into("<II", headers, 0xd8 + 16, 32, 0x150)
    struct.pack_into("<II", headers, 0x100 + 16, 32, 0x130)
    return with_more(bytes(headers), 0x180)


def authenticode(paths):
    for path in paths:
        with open(path, "rb") as file:
            yield shrunk(file.read())
    yield narrow()


def main():
    seeds = {"config": [text.encode() for text in CONFIG], "acpi": [acpi(True), acpi(False)], "gpt": GPTS, "iommu": IOMMU,
             "image": [monitor(), pe()], "partition": PARTITIONS, "root_seal": ROOT_SEAL, "tcg_replay": EVENTS_LOGS,
             "authenticode": authenticode(sys.argv[2:])}
    for name, contents in seeds.items():
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        for number, content in enumerate(contents):
            with open(os.path.join(folder, str(number)), "wb") as file:
                file.write(bytes(content))


if __name__ == "__main__":
    main()
