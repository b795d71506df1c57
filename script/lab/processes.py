# SPDX-License-Identifier: Apache-2.0
"""Programs that the laboratory has started, and their end."""
import signal
import subprocess

PATIENCE_SECONDS = 10


def end(process: subprocess.Popen, how: signal.Signals = signal.SIGTERM) -> None:
    """Asks it to end by a signal, and ends it if it does not. Has waited for it when it returns; ended ones are left alone."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
