"""Modbus TCP on loopback, around anything that has registers; it can fail in many ways."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import Protocol

_READ = (3, 4)
_WRITE_ONE, _WRITE_SOME = 6, 16
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _DEVICE_FAILED = 1, 2, 4


class Registers(Protocol):
    """A device."""

    def read(self, address: int) -> int: ...

    def write(self, address: int, value: int) -> bool: ...


class Link(Enum):
    """How the adapter behaves."""

    UP = auto()
    HANGS = auto()
    """It takes requests, and answers none."""
    DOWN = auto()
    """It refuses to be connected to."""


class ModbusServer:
    """One device behind one adapter."""

    def __init__(self, device: Registers) -> None:
        self.device = device
        self.fails_writes = 0
        """So many of the writes to come are answered with a failure."""
        self._link = Link.UP
        self._answers = Event()
        self._answers.set()
        self._server: _Server | None = None
        self._connections: set[socket.socket] = set()
        self.port = 0
        self._open()

    @property
    def link(self) -> Link:
        return self._link

    @link.setter
    def link(self, link: Link) -> None:
        self._link = link
        if link is Link.HANGS:
            self._answers.clear()
        else:
            self._answers.set()
        if link is Link.DOWN:
            self.close()
        elif self._server is None:
            self._open()

    def close(self) -> None:
        """End all connections, and take no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for each in list(self._connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @contextmanager
    def connected(self, connection: socket.socket) -> Iterator[None]:
        self._connections.add(connection)
        try:
            yield
        finally:
            self._connections.discard(connection)

    def answer(self, request: bytes) -> bytes:
        """To a request's protocol data unit; waits while the adapter hangs."""
        self._answers.wait()
        function, address, value = struct.unpack(">BHH", request[:5])
        if function in _READ:
            shown = [self.device.read(address + each) for each in range(value)]
            return struct.pack(f">BB{value}H", function, 2 * value, *shown)
        if function not in (_WRITE_ONE, _WRITE_SOME):
            return bytes((function | 0x80, _ILLEGAL_FUNCTION))
        if self.fails_writes > 0:
            self.fails_writes -= 1
            return bytes((function | 0x80, _DEVICE_FAILED))
        values = [value] if function == _WRITE_ONE else struct.unpack(f">{value}H", request[6:])
        written = [self.device.write(address + at, each) for at, each in enumerate(values)]
        return request[:5] if all(written) else bytes((function | 0x80, _ILLEGAL_ADDRESS))

    def _open(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], modbus: ModbusServer) -> None:
        self.modbus = modbus
        super().__init__(address, _Handler)


class _Handler(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        modbus = self.server.modbus
        with modbus.connected(self.request), suppress(OSError, EOFError):
            while True:
                transaction, _, length, unit = struct.unpack(">HHHB", self._exactly(7))
                answer = modbus.answer(self._exactly(length - 1))
                head = struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit)
                self.request.sendall(head + answer)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.request.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data
