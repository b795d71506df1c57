# SPDX-License-Identifier: Apache-2.0
"""Programs that the laboratory has started, and their end."""
import signal
import subprocess
from collections.abc import Iterable

PATIENCE_SECONDS = 10


def owned(command: Iterable[object]) -> list[object]:
    """The command, so that the kernel ends it when the thread that starts it ends, however that ends. A program in front of it says so,
    and no `preexec_fn`: Python code between fork() and exec() would take a terminal's Ctrl-C for its own and print a traceback."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *command]


def end(process: subprocess.Popen, how: signal.Signals = signal.SIGTERM) -> None:
    """Asks it to end by a signal, and ends it if it does not. Has waited for it when it returns; ended ones are left alone."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
