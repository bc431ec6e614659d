"""Other systems on the same work: each in its own environment and its own process.

`child.py` runs here and starts them; `lines.py` is their side of the conversation. The runners
(`langgraph.py`, `agentbarrier.py`, `fastapi.py`) are run by the peers' own Python and can import
nothing else of the repository than what needs the standard library alone.
"""
