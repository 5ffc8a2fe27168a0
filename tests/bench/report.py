#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# usage: report.py disk|net|platform DIR KERNEL VCPUS QUEUES
#
# Makes DIR/run.json and DIR/table.txt of what bench.sh left in DIR/raw, and prints the
# table. DIR/raw/N.PASS is the N-th guest; see dom0-bench for the files in it.

import json
import os
import re
import statistics
import sys

# QEMU's clock: -icount shift=1
NANOSECONDS_PER_INSTRUCTION = 2

# Interrupts by the name at the end of their line in /proc/interrupts, or by the label
# at its beginning: the driver's events, those of the backend in dom0, and what
# else a guest is interrupted for.
KINDS = {
    "events": r"(blkif|vbd-\d+\S*|ata_piix|(eth|enX)\d+\S*|vif-?\d+-\S+|vif-\d+)$",
    "notifies": r"(blkif-backend|vif\d+\.\d+-q\d+\S*)$",
    "ipis": r"^(RES|CAL):",
    "timers": r"^LOC:|timer\d+$",
}

# What a rate counts, as the table says it.
UNITS = {
    "disk": "a request",
    "net": "a unit (64 KiB of TCP, a datagram, a round trip)",
}

# The figures of platform: the unit, what one of it is of the unit they come in, and what it is.
FIGURES = {
    "load-to-read": ("ms", 1000, "xen-platform-pci is loaded, then the disk's driver, to the first read"),
    "driver-to-read": ("ms", 1000, "the disk's driver is loaded, to the first read"),
    "driver-to-ping": ("ms", 1000, "the card's driver is loaded, to the first answer to a ping"),
    "unpause-to-read": ("ms", 1000, "xl unpause, guest paused, to the next read at the backend"),
    "unpause-to-ping": ("ms", 1000, "and to the next answer to a ping"),
    "resume-to-read": ("ms", 1000, "xl unpause, guest restored, to the first read at the backend"),
    "resume-to-ping": ("ms", 1000, "and to the first answer to a ping"),
    "platform-module": ("KiB", 1, "xen-platform-pci"),
    "disk-module": ("KiB", 1, "the disk's driver"),
    "card-module": ("KiB", 1, "the card's driver"),
    "disk-memory": ("KiB", 1, "a disk that has not been used"),
    "card-memory": ("KiB", 1, "a card that is up"),
    "event-to-handler": ("instructions", NANOSECONDS_PER_INSTRUCTION, "an event is sent, to its handler"),
    "event-to-sender": ("instructions", NANOSECONDS_PER_INSTRUCTION, "and until its sender goes on"),
}


def interrupts(path):
    """Counts of each kind, and the driver's own counters, from one snapshot."""
    found = dict.fromkeys(KINDS, 0)
    for line in open(path):
        words = line.split()
        if words[:1] == ["stats"]:
            key = "stats." + words[2]
            found[key] = found.get(key, 0) + int(words[3])
            continue
        for kind, pattern in KINDS.items():
            if re.search(pattern, line.strip()):
                counts = [int(w) for w in words[1:] if w.isdigit()]
                found[kind] += sum(counts)
    return found


def grown(before, after, only=None):
    return {
        k: v - before.get(k, 0)
        for k, v in after.items()
        if v >= before.get(k, 0) and (only is None or k in only)
    }


def read_fio(base):
    """Requests, and the seconds they took."""
    text = open(base + ".json").read()
    job = json.loads(text[text.index("{"):])["jobs"][0]
    if job["error"]:
        raise SystemExit(f"error: {base}: fio says error {job['error']}")
    ways = [job[way] for way in ("read", "write") if job[way]["total_ios"]]
    return ways[-1]["total_ios"], ways[-1]["runtime"] / 1000


def read_iperf3(base):
    """What arrived: units of 64 KiB, or datagrams; and the seconds."""
    result = json.load(open(base + ".json"))
    if "error" in result:
        raise SystemExit(f"error: {base}: iperf3 says {result['error']}")
    end = result["end"]
    if result["start"]["test_start"]["protocol"] == "TCP":
        return end["sum_received"]["bytes"] / 65536, end["sum_received"]["seconds"]
    return end["sum"]["packets"] - end["sum"]["lost_packets"], end["sum"]["seconds"]


def read_ping(base):
    """Round trips and the seconds."""
    text = open(base + ".ping").read()
    found = re.search(r"(\d+) received.* time (\d+)ms", text)
    return int(found[1]), int(found[2]) / 1000


def read_sample(base):
    """One run of one job: its program's figures and what was counted meanwhile."""
    if os.path.exists(base + ".ping"):
        units, seconds = read_ping(base)
    elif '"fio version"' in open(base + ".json").read():
        units, seconds = read_fio(base)
    else:
        units, seconds = read_iperf3(base)
    rate = units / seconds
    counts = grown(interrupts(base + ".before"), interrupts(base + ".after"))
    dom0 = grown(interrupts(base + ".dom0-before"), interrupts(base + ".dom0-after"))
    counts["notifies"] = dom0["notifies"]
    return {
        "units": units,
        "milliseconds": round(seconds * 1000, 1),
        "per_second": round(rate, 1),
        "instructions": round(1e9 / NANOSECONDS_PER_INSTRUCTION / rate),
        "counts": counts,
    }


def read_figures(file, rows):
    """What a job of platform has printed: a figure a line."""
    for line in open(file):
        name, value = line.split()
        rows.setdefault(name, []).append(float(value) / FIGURES[name][1])


def read_rows(path):
    """A pass's samples, by row and then in the order of repeats."""
    rows = {}
    for file in sorted(os.listdir(path)):
        if file.endswith(".figures"):
            read_figures(os.path.join(path, file), rows)
    if rows:
        return rows
    for file in os.listdir(path):
        if file.endswith((".json", ".ping")):
            row, repeat = file.rsplit(".", 2)[:2]
            sample = read_sample(os.path.join(path, f"{row}.{repeat}"))
            rows.setdefault(row, {})[int(repeat)] = sample
    return {row: [by[r] for r in sorted(by)] for row, by in rows.items()}


def read_pass(path):
    number, name = os.path.basename(path).split(".", 1)
    host = [line.rstrip("\n").split(" = ", 1) for line in open(os.path.join(path, "host"))]
    return {
        "number": int(number),
        "pass": name,
        "host": {line[0]: line[-1].strip('"') for line in host},
        "rows": read_rows(path),
    }


def read_run(what, directory, kernel, vcpus, queues):
    raw = os.path.join(directory, "raw")
    passes = [
        read_pass(os.path.join(raw, d))
        for d in sorted(os.listdir(raw))
        if re.match(r"\d+\.", d) and os.path.exists(os.path.join(raw, d, "host"))
    ]
    if not passes:
        raise SystemExit(f"error: nothing was measured in {raw}")
    passes.sort(key=lambda p: p["number"])
    return {"what": what, "kernel": kernel, "vcpus": vcpus, "queues_offered": queues, "passes": passes}


def samples_of(run, name, row):
    return [s for p in run["passes"] if p["pass"] == name for s in p["rows"].get(row, [])]


def median(samples, key):
    return statistics.median(s[key] for s in samples)


def per_unit(samples, kind):
    values = [s["counts"][kind] / s["units"] for s in samples if kind in s["counts"]]
    return f"{statistics.median(values):.3f}" if values else "-"


def thousands(samples):
    values = [s["instructions"] / 1000 for s in samples]
    return f"{statistics.median(values):.1f} [{min(values):.1f} {max(values):.1f}]"


def print_grid(lines, out):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  ".join(cells).rstrip(), file=out)


def time_table(run, names, rows, out):
    """Instructions, and how many times the first's rate the others have."""
    base = names[0]
    print(f"Thousands of instructions {UNITS[run['what']]}, guest, Xen and dom0 together: median [least most];", file=out)
    print(f"then the rate as a multiple of another column's; < marks less than 1.00 of {base}.", file=out)
    versus = [(name, base) for name in names[1:] if name != "none"]
    versus += [(name, "none") for name in names if name != "none" and "none" in names]
    lines = [["row"] + names + [f"{a}/{b}" for a, b in versus]]
    for row in rows:
        samples = {name: samples_of(run, name, row) for name in names}
        line = [row] + [thousands(samples[n]) if samples[n] else "-" for n in names]
        for a, b in versus:
            if not samples[a] or not samples[b]:
                line.append("-")
                continue
            ratio = median(samples[b], "instructions") / median(samples[a], "instructions")
            line.append(f"{ratio:.2f}" + ("<" if b == base and ratio < 0.995 else " "))
        lines.append(line)
    print_grid(lines, out)


def count_table(run, names, rows, out):
    """Notifies, events and interrupts."""
    kinds = ["notifies", "events", "ipis", "timers"]
    print(f"\nCounted {UNITS[run['what']]} (medians): " + " / ".join(kinds), file=out)
    lines = [["row"] + names]
    for row in rows:
        line = [row]
        for name in names:
            samples = samples_of(run, name, row)
            line.append(" / ".join(per_unit(samples, k) for k in kinds))
        lines.append(line)
    print_grid(lines, out)


def own_table(run, names, rows, out):
    """The driver's own counters, where it has them."""
    for name in names:
        every = [s for row in rows for s in samples_of(run, name, row)]
        kinds = sorted({k for s in every for k in s["counts"] if k.startswith("stats.")})
        kinds = [k for k in kinds if any(s["counts"].get(k) for s in every)]
        if not kinds:
            continue
        print(f"\nThe driver's own counters, {UNITS[run['what']]} (medians): {name}", file=out)
        lines = [["row"] + [k[len("stats."):] for k in kinds]]
        for row in rows:
            samples = samples_of(run, name, row)
            if samples:
                lines.append([row] + [per_unit(samples, k) for k in kinds])
        print_grid(lines, out)


def head(run, out):
    host = run["passes"][0]["host"]
    print(
        f"guest {host['guest']}, {run['vcpus']} vCPUs; Xen {host['xen']}; dom0 {host['dom0']}; "
        f"queues offered {run['queues_offered']}",
        file=out,
    )
    order = " ".join(p["pass"] for p in run["passes"])
    print(f"passes: {order}\n", file=out)


def figure_table(run, names, out):
    """Platform's: a figure a line."""
    print("Median [least most]; in the bed's time, of which 2 ns are an instruction.", file=out)
    lines = [[""] + names]
    for row, (unit, _, text) in FIGURES.items():
        line = [f"{text}, {unit}"]
        for name in names:
            values = samples_of(run, name, row)
            line.append(f"{statistics.median(values):.0f} [{min(values):.0f} {max(values):.0f}]" if values else "-")
        lines.append(line)
    print_grid(lines, out)


def report(run, rows, out):
    names = list(dict.fromkeys(p["pass"] for p in run["passes"]))
    # The emulated device is nobody's measure but its own.
    names.sort(key=lambda name: name == "none")
    head(run, out)
    if run["what"] == "platform":
        figure_table(run, names, out)
        return
    time_table(run, names, rows, out)
    count_table(run, names, rows, out)
    own_table(run, names, rows, out)


def main():
    what, directory, kernel, vcpus, queues = sys.argv[1:]
    run = read_run(what, directory, kernel, int(vcpus), int(queues))
    with open(os.path.join(directory, "run.json"), "w") as out:
        json.dump(run, out, indent=1)
    jobs = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{what}-jobs")
    rows = [line.split()[0] for line in open(jobs) if line.strip() and line[0] != "#"]
    rows = [row for row in rows if any(row in p["rows"] for p in run["passes"])]
    table = os.path.join(directory, "table.txt")
    with open(table, "w") as out:
        report(run, rows, out)
    print(open(table).read(), end="")


if __name__ == "__main__":
    main()
