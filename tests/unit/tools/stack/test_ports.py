"""Free ports, and the error for a port in use."""

import socket

import pytest

from tools.stack.ports import HOST, PortTakenError, free_port, is_free, is_open, require_free


def test_free_port_is_free_and_below_those_of_outgoing_connections() -> None:
    port = free_port()
    assert is_free(port)
    assert not is_open(port)
    assert port < 32_768


def test_port_in_use_is_refused_with_its_owner_and_option() -> None:
    with socket.create_server((HOST, free_port())) as server:
        port = server.getsockname()[1]
        assert is_open(port)
        with pytest.raises(PortTakenError, match=rf"port {port}, for Admin, is in use.*--admin-port PORT"):
            require_free(port, "Admin", "--admin-port")
