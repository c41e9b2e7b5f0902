"""Reading, scoring and writing at the same time: three stages in three threads, a shard in each."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
Scored = TypeVar("Scored")
Done = TypeVar("Done")

_WAIT = 0.1


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class Ahead(Generic[Item]):
    """An iterator that is read by a thread of its own, one item ahead.

    Args:
        items: what to read. An error of it is raised where its next item would have come.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._queue: Queue[Item | _Failure | None] = Queue(maxsize=1)
        self._stop = Event()
        self._thread = Thread(target=self._read, args=(items,), name="reader", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        """The items, as they come."""
        while True:
            try:
                item = self._queue.get(timeout=60)
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item

    def close(self) -> None:
        """Stop reading, and wait until it has stopped."""
        self._stop.set()
        self._thread.join()

    def _read(self, items: Iterable[Item]) -> None:
        try:
            for item in items:
                self._put(item)
                if self._stop.is_set():
                    return
            self._put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the item is awaited
            self._put(_Failure(error))

    def _put(self, item: Item | _Failure | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_WAIT)
            except Full:
                continue
            return


def run(
    items: Iterable[Item], score: Callable[[Item], Scored], write: Callable[[Item, Scored], Done]
) -> Iterator[Done]:
    """What ``write`` returns for each item, in order; reading, scoring and writing run side by side.

    At most four items are held at a time: one being read, one read, one being scored, one being written.

    Args:
        items: read in a thread of their own.
        score: called in the caller's thread.
        write: called in a third thread, for one item at a time, in order.
    """
    ahead = Ahead(items)
    waiting: Future[Done] | None = None
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="writer") as writer:
            for item in ahead:
                scored = score(item)
                if waiting is not None:
                    yield waiting.result()
                waiting = writer.submit(write, item, scored)
            if waiting is not None:
                yield waiting.result()
    finally:
        ahead.close()
