"""Messages for developers: printed where they are asked for, and nowhere else."""

import logging
import subprocess
import sys

from tonearm.errors.debug_messages import printed


def test_messages_below_tonearm_are_printed_while_the_context_is_open():
    lines = []
    log = logging.getLogger("tonearm.acme")
    with printed(lines.append):
        log.debug("as %s as\nthis", "simple")
        logging.getLogger("acme").error("not this")
    log.debug("too late")
    assert lines == [r"debug: as simple as\nthis"]
    assert not logging.getLogger("tonearm").handlers


def test_a_worker_prints_them_on_stderr_once():
    code = """if True:
        import logging
        from tonearm.errors.debug_messages import print_from_here_on
        print_from_here_on()
        print_from_here_on()
        logging.getLogger("tonearm.engines").debug("here")
    """
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "debug: here\n")
