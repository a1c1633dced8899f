"""How a system is reached: the protocol, the child process, and one file for each kind of system."""
