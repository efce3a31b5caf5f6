"""The histogram of ages."""

from harakatw.outbound.control import shape as shape_module
from harakatw.outbound.control.shape import (
    AGE_MINUTES,
    OTHERS,
    TOTAL,
    Shape,
    ShapeRow,
)
from tests.outbound.control.queues import NOW, QueueTestCase

MINUTE = 60.0


class ShapeTests(QueueTestCase):
    """How old the queue is, by domain."""

    def shape(self, limit: int = 10) -> list[ShapeRow]:
        """The rows for what is queued."""
        shape = Shape(NOW)
        for item in self.items().values():
            shape.add(item)
        return list(shape.rows(limit))

    def test_empty(self) -> None:
        """An empty queue has a total of nothing."""
        (total,) = self.shape()
        self.assertEqual((total.domain, total.items), (TOTAL, 0))

    def test_columns(self) -> None:
        """A column begins at the age that ends the one before."""
        for minutes in (0, 4.9, 5, 1279, 1280, 99_999):
            self.add(age=minutes * MINUTE)
        total = self.shape()[0]
        self.assertEqual(total.ages, (2, 1, 0, 0, 0, 0, 0, 0, 1, 2))
        self.assertEqual(len(total.ages), len(AGE_MINUTES) + 1)

    def test_clock_set_back(self) -> None:
        """What was queued in the future is young."""
        self.add(age=-3600)
        self.assertEqual(self.shape()[0].ages[0], 1)

    def test_order_and_rest(self) -> None:
        """The domains with most items come first; what is left over is one row."""
        for domain, count in (("one", 1), ("three", 3), ("two", 2), ("also-one", 1)):
            for _ in range(count):
                self.add(f"{domain}.example")
        rows = [(row.domain, row.items) for row in self.shape(limit=2)]
        wanted = [(TOTAL, 7), ("three.example", 3), ("two.example", 2), (OTHERS, 2)]
        self.assertEqual(rows, wanted)

    def test_bounded(self) -> None:
        """Millions of domains do not fill the memory."""
        self.patch(shape_module, "MAX_DOMAINS", 2)
        for number in range(5):
            self.add(f"d{number}.example")
        rows = [(row.domain, row.items) for row in self.shape()]
        wanted = [(TOTAL, 5), ("d0.example", 1), ("d1.example", 1), (OTHERS, 3)]
        self.assertEqual(rows, wanted)
