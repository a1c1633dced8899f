"""Where the time of a generation goes: measured step by step, in whole generations, one system beside another."""
