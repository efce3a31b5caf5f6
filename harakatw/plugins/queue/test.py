"""
Save messages as files, to look at what a configuration makes of them.

@see: Haraka row PB20
"""

import os
import tempfile

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.message.store import Message
from harakatw.plugin import OK, Answer, IConnection, IQueueHook, IThreads, implementer
from harakatw.plugins._storage import refusal, safe_name, sync_folder, write_new
from harakatw.plugins._transaction import message_of, transaction_of


@implementer(IQueueHook)
@attrs.frozen
class SaveAsFile:
    """
    Writes each message to a file of its own, C{mail_UUID.eml}.

    @ivar folder: where to; the system's folder for temporary files.
    """

    name: str
    threads: IThreads
    folder: str = attrs.field(factory=tempfile.gettempdir)
    _log = Logger()

    def hook_queue(self, connection: IConnection) -> "Deferred[Answer]":
        uuid = transaction_of(connection).uuid
        path = os.path.join(self.folder, f"mail_{safe_name(uuid)}.eml")
        saving = self.threads.call(_save, message_of(connection), path)
        return saving.addCallbacks(
            self._saved,
            self._not_saved,
            callbackArgs=(uuid, path),
            errbackArgs=(uuid,),
        )

    def _saved(self, _: None, uuid: str, path: str) -> Answer:
        self._log.info("{uuid} saved as {path}", uuid=uuid, path=path)
        return OK

    def _not_saved(self, failure: Failure, uuid: str) -> Answer:
        failure.trap(OSError, StoreError)
        self._log.error("{uuid} not saved: {problem}", uuid=uuid, problem=failure.value)
        return refusal(failure.value)


def _save(message: Message, path: str) -> None:
    write_new(path, message.chunks())
    sync_folder(os.path.dirname(path))
