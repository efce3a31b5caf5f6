"""Find who knows about an instance's queue."""

from pathlib import Path

from harakatw.cli.failure import CommandError
from harakatw.cli.instance import OpenInstance
from harakatw.cli.queue.asking import Asker, connect_remote
from harakatw.cli.queue.local import open_local
from harakatw.errors import HarakaError, StoreError
from harakatw.outbound.control.place import SOCKET
from harakatw.process.instance import Instance


def queue_directory(instance: OpenInstance) -> Path:
    """Where an instance's queue is kept."""
    return Instance(instance.directory).queue(instance.server.queue_dir)


def open_queue(instance: OpenInstance) -> Asker:
    """
    The server that has the queue, or if none runs the files.

    @raise HarakaError: if nobody does.
    """
    directory = queue_directory(instance)
    try:
        is_there = directory.is_dir()
    except PermissionError as error:
        raise CommandError(f"{directory}: {error.strerror}") from error
    if not is_there:
        raise CommandError(f"{directory}: there is no queue, no server has made one")
    remote = connect_remote(directory)
    if remote is not None:
        return remote
    try:
        return open_local(instance, directory)
    except StoreError as error:
        raise _not_opened(error, directory) from error


def _not_opened(error: StoreError, directory: Path) -> HarakaError:
    if "in use" not in str(error):
        return error
    hint = f"nobody listens at {directory / SOCKET}: see the log of that process"
    return CommandError(f"{error}, but {hint}")
