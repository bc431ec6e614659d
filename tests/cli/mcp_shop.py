"""A small MCP server to be asked for its tools: over stdio, or over HTTP at the port given."""

from __future__ import annotations

import sys

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
        shop.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        shop.run(transport="stdio")
