"""The policy room: what is in force, what is proposed, and trying it out."""
