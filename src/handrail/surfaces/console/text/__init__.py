"""The texts of an action, as they are: escaped, nothing removed, what hides in them visible."""
