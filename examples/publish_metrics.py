#!/usr/bin/env python3
"""Publishes how busy this machine is into a room: real numbers from /proc, with Python's standard library only.

    examples/publish_metrics.py [--server http://127.0.0.1:8080] [--room demo/metrics]

Watch it on SERVER/live.html?room=ROOM.
"""

import argparse
import itertools
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def cpu_times():
    """Seconds, in hundredths, that all processors together have been busy and idle since the machine started."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, idle, iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return user + nice + system + irq + softirq + steal, idle + iowait


def load():
    with open("/proc/loadavg", encoding="ascii") as loadavg:
        return float(loadavg.read().split()[0])


def memory_used():
    """The share of the memory that is in use, from 0 to 1."""
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        kib = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in meminfo)}
    return 1 - kib["MemAvailable"] / kib["MemTotal"]


def publish(url, numbers):
    request = urllib.request.Request(
        url, data=json.dumps(numbers).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    parser.add_argument("--room", default="demo/metrics")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two messages")
    parser.add_argument("--count", type=int, help="how many messages to send (endless)")
    options = parser.parse_args()
    url = f"{options.server}/rooms/{urllib.parse.quote(options.room)}"

    busy, idle = cpu_times()
    for _ in itertools.count() if options.count is None else range(options.count):
        time.sleep(options.interval)
        busy_before, idle_before, (busy, idle) = busy, idle, cpu_times()
        passed = (busy - busy_before) + (idle - idle_before)
        cpu = (busy - busy_before) / passed if passed > 0 else 0.0
        try:
            publish(url, {"cpu": round(cpu, 3), "load": load(), "memory": round(memory_used(), 3)})
        except (urllib.error.URLError, TimeoutError) as problem:
            print(f"not published, trying again: {problem}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
