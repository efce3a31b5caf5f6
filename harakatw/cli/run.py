"""
C{haraka run}: the server, as C{twistd haraka} runs it.

@see: Haraka rows CI04 and CF10 to CF12
"""

import sys
from pathlib import Path

from twisted.scripts import twistd

from harakatw.cli.failure import CommandError
from harakatw.cli.instance import open_instance
from harakatw.config.core import ServerOptions


def run(directory: Path) -> int:
    """
    Run the server until it is stopped; in the background if C{smtp.ini} says so.

    It ends as a program under C{twistd} does: a signal that stops the server also ends
    the process, so that whoever started it sees why it ended.

    @raise HarakaError: if it cannot start.
    """
    instance = open_instance(directory)
    start(twistd_arguments(instance.directory, instance.server))
    return 0


def twistd_arguments(directory: Path, options: ServerOptions) -> list[str]:
    """
    What one would type after C{twistd}.

    @param directory: the instance; C{daemon_log_file} and C{daemon_pid_file} are
        relative to it.
    """
    server = ["haraka", "--config", str(directory)]
    if not options.daemonize:
        return ["--nodaemon", "--pidfile=", *server]
    return [
        f"--rundir={directory}",
        f"--logfile={directory / options.daemon_log_file}",
        f"--pidfile={directory / options.daemon_pid_file}",
        *server,
    ]


def start(arguments: list[str]) -> None:
    """
    Do as C{twistd} with these arguments.

    @raise HarakaError: if the server cannot start.
    """
    program, streams = sys.argv, (sys.stdout, sys.stderr)
    sys.argv = [program[0], *arguments]  # where twistd looks
    try:
        twistd.run()
    except OSError as error:  # its log or the file with its process id
        raise CommandError(f"{error.filename}: {error.strerror}") from error
    finally:
        # What is printed from here on is for the terminal, not for the server's log.
        sys.argv, (sys.stdout, sys.stderr) = program, streams
