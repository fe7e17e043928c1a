"""Runs a command and tells what it took: wall clock from before the process exists until it is gone, processor time, most memory.

    measure.py RESULT STDOUT STDERR COMMAND...

A small program that does the waiting itself, because only wait4 has a child's own peak, and a child begins with that of its parent.
"""

import json
import os
import sys
import time


def main():
    result, stdout, stderr = sys.argv[1:4]
    command = sys.argv[4:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [(os.POSIX_SPAWN_OPEN, 1, stdout, flags, 0o644), (os.POSIX_SPAWN_OPEN, 2, stderr, flags, 0o644)]
    started = time.monotonic()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    _, status, usage = os.wait4(process, 0)
    seconds = time.monotonic() - started
    measured = {
        "seconds": seconds,
        "processorSeconds": usage.ru_utime + usage.ru_stime,
        "peakBytes": usage.ru_maxrss * 1024,
        "exitCode": os.waitstatus_to_exitcode(status),
    }
    with open(result, "w", encoding="ascii") as file:
        json.dump(measured, file)


main()
