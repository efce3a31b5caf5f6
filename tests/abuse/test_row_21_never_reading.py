"""Row 21: a client that sends commands for ever, and never reads a reply."""

from twisted.trial.unittest import SynchronousTestCase

from tests.sessions import make_site

READ_OCTETS = 65536
"""What one read of a socket gives at the most."""


class NeverReadingTests(SynchronousTestCase):
    """Replies pile up in the transport, and commands must not pile up before it."""

    def test_stops_reading(self) -> None:
        """
        Once the transport says that its buffer is full, nothing is read, answered or
        kept but what came in one read.
        """
        site = make_site()
        site.greet()
        transport = site.client.transport
        self.assertIs(transport.producer, site.client.protocol)
        self.assertTrue(transport.streaming)
        site.client.protocol.pauseProducing()
        self.assertEqual(transport.producerState, "paused")
        site.client.send(b"NOOP\r\n" * (READ_OCTETS // 6))
        self.assertEqual(site.client.hear(), "")
        self.assertEqual(transport.producerState, "paused")

    def test_one_read_is_bounded(self) -> None:
        """
        The replies to one read are bounded: the smallest command with the biggest
        reply makes about forty octets of one.
        """
        site = make_site()
        site.greet()
        for command in (b"HELP\r\n", b"NOOP\r\n", b"EHLO x\r\n", b"\r\n"):
            site.client.send(command * (READ_OCTETS // len(command)))
            self.assertLess(len(site.client.hear()), 40 * READ_OCTETS, command)

    def test_full_in_the_middle(self) -> None:
        """
        A transport that fills up while a group is answered stops the server at the
        next read; what was read is answered when the client reads again.
        """
        site = make_site()
        site.greet()
        transport = site.client.transport
        protocol = site.client.protocol

        def fill(octets: bytes) -> None:
            transport.io.write(octets)
            protocol.pauseProducing()

        self.patch(transport, "write", fill)
        site.client.say("NOOP", "NOOP")
        self.assertEqual(transport.producerState, "paused")
        site.client.say("NOOP")
        self.assertEqual(site.client.codes(), [250, 250])
        protocol.resumeProducing()
        self.assertEqual(site.client.codes(), [250])
