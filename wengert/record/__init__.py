"""The record: entries of the Wengert list, the recorder that appends them, the interpreter that runs them."""
