#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# usage: disk_report.py DIR KERNEL VCPUS QUEUES
#
# Makes DIR/run.json and DIR/table.txt of what disk.sh left in DIR/raw, and prints the
# table. DIR/raw/N.PASS is the N-th guest; see dom0-disk for the files in it.

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
    "events": r"(blkif|vbd-\d+\S*|ata_piix)$",
    "notifies": r"blkif-backend$",
    "ipis": r"^(RES|CAL):",
    "timers": r"^LOC:|timer\d+$",
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


def read_sample(base):
    """One run of one job: fio's figures and what was counted meanwhile."""
    text = open(base + ".json").read()
    job = json.loads(text[text.index("{"):])["jobs"][0]
    if job["error"]:
        raise SystemExit(f"error: {base}: fio says error {job['error']}")
    requests = milliseconds = 0
    for way in ("read", "write"):
        if job[way]["total_ios"]:
            requests = job[way]["total_ios"]
            milliseconds = job[way]["runtime"]
    rate = requests * 1000 / milliseconds
    counts = grown(interrupts(base + ".before"), interrupts(base + ".after"))
    dom0 = grown(interrupts(base + ".dom0-before"), interrupts(base + ".dom0-after"))
    counts["notifies"] = dom0["notifies"]
    return {
        "requests": requests,
        "milliseconds": milliseconds,
        "per_second": round(rate, 1),
        "instructions": round(1e9 / NANOSECONDS_PER_INSTRUCTION / rate),
        "counts": counts,
    }


def read_pass(path):
    number, name = os.path.basename(path).split(".", 1)
    rows = {}
    for file in os.listdir(path):
        if file.endswith(".json"):
            row, repeat = file[: -len(".json")].rsplit(".", 1)
            sample = read_sample(os.path.join(path, f"{row}.{repeat}"))
            rows.setdefault(row, {})[int(repeat)] = sample
    host = [line.rstrip("\n").split(" = ", 1) for line in open(os.path.join(path, "host"))]
    return {
        "number": int(number),
        "pass": name,
        "host": {line[0]: line[-1].strip('"') for line in host},
        "rows": {row: [by[r] for r in sorted(by)] for row, by in rows.items()},
    }


def read_run(directory, kernel, vcpus, queues):
    raw = os.path.join(directory, "raw")
    passes = [
        read_pass(os.path.join(raw, d))
        for d in sorted(os.listdir(raw))
        if re.match(r"\d+\.", d) and os.path.exists(os.path.join(raw, d, "host"))
    ]
    if not passes:
        raise SystemExit(f"error: nothing was measured in {raw}")
    passes.sort(key=lambda p: p["number"])
    return {"kernel": kernel, "vcpus": vcpus, "queues_offered": queues, "passes": passes}


def samples_of(run, name, row):
    return [s for p in run["passes"] if p["pass"] == name for s in p["rows"].get(row, [])]


def median(samples, key):
    return statistics.median(s[key] for s in samples)


def per_request(samples, kind):
    values = [s["counts"][kind] / s["requests"] for s in samples if kind in s["counts"]]
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
    print("Thousands of instructions a request, guest, Xen and dom0 together: median [least most];", file=out)
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
    """Notifies, events and interrupts a request."""
    kinds = ["notifies", "events", "ipis", "timers"]
    print("\nCounted a request (medians): " + " / ".join(kinds), file=out)
    lines = [["row"] + names]
    for row in rows:
        line = [row]
        for name in names:
            samples = samples_of(run, name, row)
            line.append(" / ".join(per_request(samples, k) for k in kinds))
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
        print(f"\nThe driver's own counters a request (medians): {name}", file=out)
        lines = [["row"] + [k[len("stats."):] for k in kinds]]
        for row in rows:
            samples = samples_of(run, name, row)
            if samples:
                lines.append([row] + [per_request(samples, k) for k in kinds])
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


def report(run, rows, out):
    names = list(dict.fromkeys(p["pass"] for p in run["passes"]))
    # The emulated disk is nobody's measure but its own.
    names.sort(key=lambda name: name == "none")
    head(run, out)
    time_table(run, names, rows, out)
    count_table(run, names, rows, out)
    own_table(run, names, rows, out)


def main():
    directory, kernel, vcpus, queues = sys.argv[1:]
    run = read_run(directory, kernel, int(vcpus), int(queues))
    with open(os.path.join(directory, "run.json"), "w") as out:
        json.dump(run, out, indent=1)
    jobs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "disk-jobs")
    rows = [line.split()[0] for line in open(jobs) if line.strip() and line[0] != "#"]
    rows = [row for row in rows if any(row in p["rows"] for p in run["passes"])]
    table = os.path.join(directory, "table.txt")
    with open(table, "w") as out:
        report(run, rows, out)
    print(open(table).read(), end="")


if __name__ == "__main__":
    main()
