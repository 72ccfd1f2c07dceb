"""Connections to the other processes of a training, over which nothing is sent: they end with their process."""

from __future__ import annotations

import hmac
import socket
import sys
import time
from collections.abc import Mapping

from bh_bridge.errors import RankEnded

# A machine without power closes no connection: it is missed after about a minute.
IDLE_SECONDS, PROBE_SECONDS, PROBES = 30, 10, 3
RANK_DIGITS = 6


class Peers:
    """The connections of this process, by the rank of the other one. Rank 0 has one to every process, they to it."""

    def __init__(self, connections: Mapping[int, socket.socket]) -> None:
        self._connections = connections
        for connection in connections.values():
            connection.setblocking(False)
            _keep_alive(connection)

    def ended(self) -> int | None:
        """A rank whose process has ended or whose machine does not answer; None while all are there."""
        for rank, connection in self._connections.items():
            try:
                if connection.recv(1) == b"":
                    return rank
            except BlockingIOError:
                continue
            except OSError:
                return rank
        return None

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


def listen(host: str) -> socket.socket:
    """A listening socket on a free port of an address; empty for all addresses."""
    if host == "" and socket.has_dualstack_ipv6():
        return socket.create_server((host, 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server((host, 0))


def accept_peers(server: socket.socket, processes: int, token: str, patience: float) -> Peers:
    """Wait for the connections of all other processes, and close the server. RankEnded after `patience` seconds."""
    deadline = time.monotonic() + patience
    connections: dict[int, socket.socket] = {}
    with server:
        while len(connections) < processes - 1:
            server.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                connection, _ = server.accept()
            except TimeoutError as error:
                missing = [rank for rank in range(1, processes) if rank not in connections]
                raise RankEnded(f"rank {missing[0]} did not connect within {patience:.0f} s") from error
            rank = _introduced(connection, token)
            if rank is None:
                connection.close()  # a stranger
            else:
                connections[rank] = connection
    return Peers(connections)


def connect_to_first(host: str, port: int, rank: int, token: str, patience: float) -> Peers:
    """Connect to rank 0, which listens already."""
    connection = socket.create_connection((host, port), timeout=patience)
    connection.sendall(f"{rank:{RANK_DIGITS}}{token}".encode())
    return Peers({0: connection})


def _introduced(connection: socket.socket, token: str) -> int | None:
    """The rank that a process has sent with the token; None for a stranger."""
    expected = token.encode()
    connection.settimeout(5.0)
    try:
        sent = connection.recv(RANK_DIGITS + len(expected), socket.MSG_WAITALL)
    except OSError:
        return None
    rank = sent[:RANK_DIGITS].strip()
    return int(rank) if hmac.compare_digest(sent[RANK_DIGITS:], expected) and rank.isdigit() else None


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
