"""Policy as data: YAML files to core types, their schema, their lint, and the grading of a kind."""
