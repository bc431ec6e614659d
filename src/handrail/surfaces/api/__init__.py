"""The HTTP API: one route table, one gateway behind it, one OpenAPI document made from both."""
