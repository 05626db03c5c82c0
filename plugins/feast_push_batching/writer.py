"""An offline writer that queues what another one is to write."""

import struct
from collections.abc import Sequence

from feast_core.interfaces import Columns, EncodedRows, OfflineReceipt, OfflineWriter
from feast_core.push_queue import PushQueue

#: The number of rows stands before their body, since `write` is given bodies only.
_COUNT = struct.Struct(">Q")


class QueuedWriter(OfflineWriter):
    """Checks rows as `writer` does, and queues them. What the queue gives out again comes through here, too, on its way
    to the source, and is passed on."""

    def __init__(self, writer: OfflineWriter, queue: PushQueue, project: str, source: str) -> None:
        self._writer = writer
        self._queue = queue
        self._project = project
        self._source = source

    def encode(self, columns: Columns) -> EncodedRows:
        """What the source would refuse does not come into the queue."""
        encoded = self._writer.encode(columns)
        return EncodedRows(encoded.rows, _COUNT.pack(encoded.rows) + encoded.body)

    def write(self, encoded: Sequence[bytes], batch_id: str) -> OfflineReceipt:
        """Queue rows; they are written in a batch with others, under an id of its own."""
        if self._queue.has_given_out(batch_id):
            return self._writer.write(encoded, batch_id)
        rows = [EncodedRows(_COUNT.unpack_from(body)[0], body[_COUNT.size :]) for body in encoded]
        self._queue.put(self._project, self._source, rows)
        return OfflineReceipt(sum(found.rows for found in rows), queued=True)
