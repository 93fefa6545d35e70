#!/usr/bin/env python3
"""Runs one program in a terminal of its own and records what it sends, as JSON lines on stdout.

pty-meter.py --columns 120 --rows 36 [--warm 4] [--seconds 20] [--paint] -- program argument …

  {"at": 12.3, "bytes": "<base64>"}        milliseconds since the program was started
  {"at": 4000.1, "cpu": 0.35, "memory": 90000000, "threads": 11}
                                            seconds and bytes of the program and all that it started: once when the window of
                                            --seconds opens, --warm seconds after the start, and once when it closes
  {"at": 24000.9, "end": "window"}          or "exited"

With --paint it ends with the first 300 ms of silence after 500 bytes. Only the program that was started here is ended.
"""
import argparse
import base64
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PAINTED_BYTES = 500
PAINTED_SILENCE = 0.3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--columns", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--warm", type=float, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--paint", action="store_true")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    child, terminal = start(options)
    try:
        record(options, child, terminal)
    finally:
        stop(child, terminal)


def start(options):
    """The program begins when its terminal has its size."""
    ready, go = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        os.close(go)
        os.read(ready, 1)
        os.close(ready)
        try:
            os.execvp(options.program[0], options.program)
        except OSError as error:
            os.write(2, str(error).encode())
        os._exit(127)
    os.close(ready)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", options.rows, options.columns, 0, 0))
    os.write(go, b".")
    os.close(go)
    return child, terminal


def record(options, child, terminal):
    began = time.monotonic()
    total = 0
    last = began
    opens = began + options.warm
    closes = opens + options.seconds
    while True:
        now = time.monotonic()
        if options.paint and total >= PAINTED_BYTES and now - last >= PAINTED_SILENCE:
            return say(began, end="window")
        if not options.paint and opens is not None and now >= opens:
            say(began, **usage(child))
            opens = None
        if now >= closes:
            if not options.paint:
                say(began, **usage(child))
            return say(began, end="window")
        until = min(each for each in (opens, closes) if each is not None)
        wait = max(0, min(until - now, 0.02 if options.paint else 1))
        if not select.select([terminal], [], [], wait)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            data = b""
        if not data:
            return say(began, end="exited")
        last = time.monotonic()
        total += len(data)
        answer_queries(terminal, data)
        say(began, bytes=base64.b64encode(data).decode())


def answer_queries(terminal, data):
    """Some ask what terminal this is and wait for the answer."""
    if b"\x1b[c" in data or b"\x1b[0c" in data:
        os.write(terminal, b"\x1b[?62;22c")
    if b"\x1b[6n" in data:
        os.write(terminal, b"\x1b[1;1R")


def say(began, **words):
    sys.stdout.write(json.dumps({"at": round((time.monotonic() - began) * 1000, 1), **words}) + "\n")
    sys.stdout.flush()


def usage(root):
    """Of the process and everything below it; what has ended counts by its parent."""
    seen = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    text = file.read()
            except OSError:
                continue
            # The name of the program stands in brackets and may hold anything.
            fields = text[text.rindex(")") + 2 :].split()
            seen[int(name)] = fields
    tree = [root]
    for process in tree:
        tree.extend(pid for pid, fields in seen.items() if int(fields[1]) == process)
    known = [seen[process] for process in tree if process in seen]
    return {
        "cpu": sum(int(field) for fields in known for field in fields[11:15]) / TICKS,
        "memory": sum(int(fields[21]) for fields in known) * PAGE,
        "threads": sum(int(fields[17]) for fields in known),
    }


def stop(child, terminal):
    """First as the shell would, and what it still sends is read, so that it can end."""
    for number, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 2)):
        try:
            os.kill(child, number)
        except ProcessLookupError:
            pass
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                if os.waitpid(child, os.WNOHANG)[0] != 0:
                    return os.close(terminal)
                if select.select([terminal], [], [], 0.02)[0]:
                    os.read(terminal, 65536)
            except ChildProcessError:
                return os.close(terminal)
            except OSError:
                time.sleep(0.02)


main()
