"""What people see: one action whole, what it is compared with, the way to find it."""
