"""What holds for a desk: its policy, how people change it, a candidate beside it, halts."""
