"""A small MCP server to be asked for its tools: over stdio, or over HTTP at a printed URL."""

from __future__ import annotations

import socket
import sys

import uvicorn
from mcp.server import MCPServer
from mcp.types import ToolAnnotations

shop = MCPServer("shop")


@shop.tool(annotations=ToolAnnotations(read_only_hint=True))
def get_order(order_id: str) -> str:
    """Get an order."""
    return order_id


@shop.tool()
def refund_order(order_id: str, amount: float, reason: str | None = None) -> str:
    """Refund an order."""
    return f"{order_id} {amount} {reason}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # Whoever calls before it serves waits in line at the socket.
            print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
            uvicorn.Server(uvicorn.Config(shop.streamable_http_app())).run(sockets=[listener])
    else:
        shop.run(transport="stdio")
